//===- ExportTest.cpp - Functions as bundles ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bundles for the CPU and for simulated GPUs hold objects, which this program,
// unlike those that bundles are for, can load: what comes back from the
// manifest launches as the JIT does.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Export.h"

#include "runtime/Buffer.h"
#include "runtime/bundle/Bundle.h"
#include "test/unit/bundle/TestBundle.h"
#include "test/unit/jit/JitTesting.h"

using namespace mamba;
using namespace mamba::test;
namespace fs = std::filesystem;

namespace {

/// h_t = a h_(t-1) + u_t, whose a are read by channel.
Module decays() {
  Result<Module> module = Module::parse(
      "func.func @decay(%u: tensor<?x?x?xf32> {ssm.name = \"u\"},\n"
      "                 %a: tensor<?xf32> {ssm.name = \"a\"})\n"
      "    -> (tensor<?x?x?xf32>, tensor<?x?xf32>) {\n"
      "  %b = linalg.broadcast ins(%a : tensor<?xf32>)\n"
      "      outs(%u : tensor<?x?x?xf32>) dimensions = [0, 1]\n"
      "  %h, %last = ssm.scan %b, %u : tensor<?x?x?xf32>\n"
      "  return %h, %last : tensor<?x?x?xf32>, tensor<?x?xf32>\n}\n",
      "decay.mlir");
  EXPECT_TRUE(module.ok()) << module.status().message();
  return *module;
}

/// Tensors of one call, on a device.
class Call {
public:
  Call(std::shared_ptr<Device> device, const std::vector<TensorSpec> &specs,
       size_t numInputs, std::array<int64_t, 3> extents)
      : device_(std::move(device)) {
    for (size_t i = 0; i < specs.size(); ++i) {
      std::vector<int64_t> shape;
      for (const DimSpec &dim : specs[i].dims)
        shape.push_back(dim.extentAt(extents[size_t(dim.axis)]));
      HostTensor host = *HostTensor::create(specs[i].dtype, shape);
      host.fill([&](int64_t k) {
        return i < numInputs ? 0.01 * double((k * 37 + int64_t(i)) % 91) : NAN;
      });
      auto bytes = static_cast<int64_t>(host.bytes().size());
      // Empty tensors have an address too.
      DeviceBuffer buffer =
          *DeviceBuffer::allocate(device_, std::max<int64_t>(bytes, 1));
      EXPECT_TRUE(
          device_->copyIn(buffer.data(), host.bytes().data(), bytes).ok());
      views.push_back(
          TensorView::contiguous(buffer.data(), specs[i].dtype, shape));
      buffers_.push_back(std::move(buffer));
    }
  }

  std::string bytesOf(size_t index) const {
    int64_t size = views[index].numElements() * byteSize(views[index].dtype);
    std::string bytes(static_cast<size_t>(size), '\0');
    EXPECT_TRUE(
        device_->copyOut(bytes.data(), buffers_[index].data(), size).ok());
    return bytes;
  }

  std::vector<TensorView> views;

private:
  std::shared_ptr<Device> device_;
  std::vector<DeviceBuffer> buffers_;
};

ExportOptions optionsFor(const std::string &target) {
  ExportOptions options;
  options.name = "decay";
  options.targets = {target};
  options.forms = {ImageKind::Ptx};
  return options;
}

VariantRequest general(const Function &function) {
  VariantRequest request;
  for (const TensorSpec &spec : function.info().tensors)
    request.layouts.push_back({static_cast<int8_t>(spec.dims.size() - 1),
                               static_cast<uint8_t>(byteSize(spec.dtype))});
  return request;
}

/// The results of the function by its bundle and by the JIT with the same
/// schedule, bit for bit.
void expectSame(const Function &function, const BundledFunction &bundled,
                const std::shared_ptr<Device> &device,
                std::array<int64_t, 3> extents) {
  const FunctionInfo &info = function.info();
  Call ours(device, info.tensors, info.numInputs, extents);
  Call theirs(device, bundled.info().tensors, info.numInputs, extents);
  Status status = bundled.launch(device, ours.views);
  ASSERT_TRUE(status.ok()) << status.message();
  Result<std::shared_ptr<Kernel>> kernel = bundled.kernel(device, ours.views);
  ASSERT_TRUE(kernel.ok()) << kernel.status().message();
  LaunchOptions options;
  options.schedule = (*kernel)->artifact().schedule;
  ASSERT_TRUE(function.launch(device, theirs.views, options).ok());
  ASSERT_TRUE(device->synchronize().ok());
  for (size_t i = info.numInputs; i < info.tensors.size(); ++i)
    EXPECT_TRUE(ours.bytesOf(i) == theirs.bytesOf(i)) << info.tensors[i].name;
}

TEST(Export, BundlesComputeWhatTheJitDoes) {
  Module module = decays();
  Function decay = *module.function();
  for (auto [name, target] :
       {std::pair("cpu", "cpu"), {"simt", "simt-sm_90"}}) {
    TemporaryFolder folder;
    std::shared_ptr<Device> device = *Device::open(name);
    ExportedFunction exported{decay, {general(decay)}};
    Result<ExportedBundle> written =
        exportBundle(folder.text(), {&exported, 1}, optionsFor(target));
    ASSERT_TRUE(written.ok()) << written.status().message();
    Result<Bundle> bundle = Bundle::open(folder.text());
    ASSERT_TRUE(bundle.ok()) << bundle.status().message();
    // Lengths that chunks do not divide, and none at all.
    for (int64_t length : {1, 77, 1000, 0})
      expectSame(decay, *bundle->function("decay"), device, {2, length, 5});
  }
}

TEST(Export, PairsShareWhatIsSaved) {
  Result<TrainingPair> pair = makeTrainingPair(decays(), "decay", 32);
  ASSERT_TRUE(pair.ok()) << pair.status().message();
  TemporaryFolder folder;
  ExportedFunction functions[] = {{pair->forward, {general(pair->forward)}},
                                  {pair->backward, {general(pair->backward)}}};
  ExportOptions options = optionsFor("cpu");
  options.pair = &*pair;
  size_t steps = 0;
  options.onStep = [&](std::string_view, size_t done, size_t all) {
    EXPECT_EQ(done, steps++);
    EXPECT_EQ(all, 2u);
  };
  ASSERT_TRUE(exportBundle(folder.text(), functions, options).ok());
  EXPECT_EQ(steps, 2u);
  Bundle bundle = *Bundle::open(folder.text());
  ASSERT_TRUE(bundle.manifest().training);
  EXPECT_EQ(bundle.manifest().training->backward, "decay_backward");
  EXPECT_EQ(bundle.manifest().training->saveEvery, 32);
  EXPECT_EQ(bundle.manifest().training->saved,
            std::vector<std::string>{"saved0"});
  expectSame(pair->forward, bundle.function(size_t(0)), cpuDevice(),
             {2, 77, 5});
  expectSame(pair->backward, bundle.function(size_t(1)), cpuDevice(),
             {2, 77, 5});
}

TEST(Export, SpecialVariantsAreTakenWhereTheyFit) {
  Module module = decays();
  Function decay = *module.function();
  VariantRequest special = general(decay);
  special.channelMultiple = 16;
  special.batch = 2;
  special.length = 1000;
  special.channels = 16;
  for (LayoutSpec &layout : special.layouts)
    layout.alignment = 16;
  TemporaryFolder folder;
  ExportedFunction exported{decay, {special, general(decay)}};
  ASSERT_TRUE(
      exportBundle(folder.text(), {&exported, 1}, optionsFor("cpu")).ok());
  Bundle bundle = *Bundle::open(folder.text());
  BundledFunction bundled = *bundle.function();
  for (auto [channels, multiple] : {std::pair(16, 16), {17, 1}}) {
    Call call(cpuDevice(), bundled.info().tensors, 2, {2, 1000, channels});
    Result<std::shared_ptr<Kernel>> kernel =
        bundled.kernel(cpuDevice(), call.views);
    ASSERT_TRUE(kernel.ok()) << kernel.status().message();
    EXPECT_EQ((*kernel)->artifact().channelMultiple, multiple);
    expectSame(decay, bundled, cpuDevice(), {2, 1000, channels});
  }
}

TEST(Export, BundlesTakeAllWidthsOfRows) {
  Module module = decays();
  Function decay = *module.function();
  VariantRequest rows = general(decay);
  rows.layouts.front().fixedDim = 1;
  rows.layouts.front().fixedStride = 64;
  TemporaryFolder folder;
  ExportedFunction exported{decay, {rows}};
  ASSERT_TRUE(
      exportBundle(folder.text(), {&exported, 1}, optionsFor("simt-sm_90"))
          .ok());
  Bundle bundle = *Bundle::open(folder.text());
  expectSame(decay, *bundle.function(), *Device::open("simt"), {2, 33, 128});
}

TEST(Export, RefusesStridesThatFunctionsState) {
  Module module = *Module::parse(
      "func.func @rows(%x: tensor<?x?x?xf32> {ssm.layout = #ssm.layout<unit = "
      "2, align = 4, stride = 64, dim = 1>}) -> tensor<?x?x?xf32> {\n"
      "  %y = arith.addf %x, %x : tensor<?x?x?xf32>\n"
      "  return %y : tensor<?x?x?xf32>\n}\n");
  TemporaryFolder folder;
  ExportedFunction exported{*module.function(), {VariantRequest()}};
  Status status =
      exportBundle(folder.text(), {&exported, 1}, optionsFor("simt-sm_90"))
          .status();
  EXPECT_EQ(status.code(), StatusCode::Unsupported);
  EXPECT_NE(status.message().find("stride 64"), std::string::npos)
      << status.message();
}

TEST(Export, NamesDoNotCollide) {
  Module module = decays();
  Function decay = *module.function();
  VariantRequest strided = general(decay);
  for (LayoutSpec &layout : strided.layouts)
    layout.unitDim = -1;
  VariantRequest aligned = general(decay);
  aligned.layouts[0].alignment = 16;
  TemporaryFolder folder;
  ExportedFunction exported{decay, {aligned, general(decay), strided}};
  ExportOptions options = optionsFor("cpu");
  // The loader's own names begin so.
  options.name = "mamba_loader";
  Result<ExportedBundle> written =
      exportBundle(folder.text(), {&exported, 1}, options);
  ASSERT_TRUE(written.ok()) << written.status().message();
  std::vector<std::string> files = {"decay.cpu.o",
                                    "decay.cpu.1.o",
                                    "decay.cpu.strided.o",
                                    "cpu.json",
                                    "ssm_mamba_loader_bundle.h",
                                    "manifest.json"};
  EXPECT_EQ(written->files, files);
  // Channels in reverse: only the last takes them.
  Bundle bundle = *Bundle::open(folder.text());
  BundledFunction bundled = *bundle.function();
  Call call(cpuDevice(), bundled.info().tensors, 2, {2, 10, 8});
  call.views[0].strides[2] = -1;
  call.views[0].data = static_cast<float *>(call.views[0].data) + 7;
  Result<std::shared_ptr<Kernel>> kernel =
      bundled.kernel(cpuDevice(), call.views);
  ASSERT_TRUE(kernel.ok()) << kernel.status().message();
  EXPECT_EQ((*kernel)->artifact().layouts[0].unitDim, -1);
}

TEST(Export, FailuresLeaveNothing) {
  Module module = decays();
  Function decay = *module.function();
  ExportedFunction exported{decay, {general(decay)}};
  TemporaryFolder folder;
  std::string inside = folder.text() + "/bundle";
  ExportOptions options = optionsFor("sm_1");
  EXPECT_FALSE(exportBundle(inside, {&exported, 1}, options).ok());
  options.targets.clear();
  Status status = exportBundle(inside, {&exported, 1}, options).status();
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  options.targets = {"cpu"};
  ExportedFunction twice[] = {exported, exported};
  status = exportBundle(inside, twice, options).status();
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_NE(status.message().find("two functions would be called 'decay'"),
            std::string::npos)
      << status.message();
  EXPECT_FALSE(fs::exists(inside));
}

} // namespace
