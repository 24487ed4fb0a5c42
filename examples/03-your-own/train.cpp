//===- train.cpp - Any layer learns what another one does -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     example-train LAYER.mlir [cpu|cuda:0] [STEPS]
//
// A teacher, the layer with random inputs, gives targets; a student, the same
// layer with other inputs, learns to give them too: forward, gradients, Adam.
// Nothing here knows which layer it is: the gradients come from the compiler.
//
//===----------------------------------------------------------------------===//

#include "runtime/Buffer.h"
#include "runtime/DType.h"
#include "runtime/Tensor.h"
#include "runtime/jit/Training.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>

using namespace mamba;

/// Tensors by name. Gradients are called d<name>, as the compiler calls them.
using Tensors = std::map<std::string, HostTensor>;

/// 2 sequences of 200 steps, 24 channels; states and groups as types say.
constexpr int64_t kExtents[] = {2, 200, 24, 1, 1, 1};
constexpr double kRate = 0.03;

static HostTensor tensorFor(const TensorSpec &spec) {
  std::vector<int64_t> shape;
  for (const DimSpec &dim : spec.dims)
    shape.push_back(dim.extentAt(kExtents[size_t(dim.axis)]));
  HostTensor tensor(spec.dtype, shape);
  tensor.fillNaN();
  return tensor;
}

/// The numbers of a tensor without gaps.
static double get(const HostTensor &tensor, size_t i) {
  return readElement(tensor.bytes().data() + i * byteSize(tensor.dtype()),
                     tensor.dtype())
      .real();
}
static void set(HostTensor &tensor, size_t i, double value) {
  writeElement(tensor.bytes().data() + i * byteSize(tensor.dtype()),
               tensor.dtype(), value);
}
static size_t sizeOf(const HostTensor &tensor) {
  return tensor.bytes().size() / byteSize(tensor.dtype());
}

static Tensors randomInputs(const FunctionInfo &info, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, 0.5);
  Tensors tensors;
  for (const TensorSpec &spec : std::span(info.tensors).first(info.numInputs)) {
    HostTensor &tensor = tensors[spec.name] = tensorFor(spec);
    tensor.fill([&](int64_t) { return normal(random); });
  }
  return tensors;
}

/// Runs `function` on the tensors of its arguments' names; adds its results.
static Status run(const Function &function,
                  const std::shared_ptr<Device> &device, Tensors &tensors) {
  const FunctionInfo &info = function.info();
  std::vector<DeviceTensor> copies;
  std::vector<TensorView> views;
  for (size_t i = 0; i < info.tensors.size(); ++i) {
    const TensorSpec &spec = info.tensors[i];
    if (i >= info.numInputs)
      tensors[spec.name] = tensorFor(spec);
    MAMBA_ASSIGN_OR_RETURN(DeviceTensor copy,
                           DeviceTensor::copyOf(tensors[spec.name], device));
    copies.push_back(std::move(copy));
    views.push_back(copies.back().view());
  }
  MAMBA_RETURN_IF_ERROR(function.launch(device, views));
  for (size_t i = info.numInputs; i < info.tensors.size(); ++i)
    MAMBA_RETURN_IF_ERROR(copies[i].copyTo(tensors[info.tensors[i].name]));
  return Status();
}

/// Half the mean square of result - target; d<result> is its gradient.
static double addLoss(const std::string &result, const Tensors &targets,
                      Tensors &tensors) {
  const HostTensor &found = tensors[result], &wanted = targets.at(result);
  HostTensor &gradient = tensors["d" + result] = found.clone();
  double loss = 0, size = double(sizeOf(found));
  for (size_t i = 0; i < sizeOf(found); ++i) {
    double difference = get(found, i) - get(wanted, i);
    set(gradient, i, difference / size);
    loss += difference * difference / (2 * size);
  }
  return loss;
}

/// Adam (Kingma and Ba 2015, algorithm 1) for one tensor, in double precision.
struct Adam {
  std::vector<double> value, mean, square;

  void step(HostTensor &tensor, const HostTensor &gradient, int t) {
    if (value.empty()) {
      for (size_t i = 0; i < sizeOf(tensor); ++i)
        value.push_back(get(tensor, i));
      mean.resize(value.size());
      square.resize(value.size());
    }
    for (size_t i = 0; i < value.size(); ++i) {
      double g = get(gradient, i);
      mean[i] = 0.9 * mean[i] + 0.1 * g;
      square[i] = 0.999 * square[i] + 0.001 * g * g;
      double rate = kRate / (1 - std::pow(0.9, t));
      value[i] -= rate * mean[i] /
                  (std::sqrt(square[i] / (1 - std::pow(0.999, t))) + 1e-12);
      set(tensor, i, value[i]);
    }
  }
};

static Status train(const char *path, const char *deviceName, int steps) {
  MAMBA_ASSIGN_OR_RETURN(Module module, Module::load(path));
  MAMBA_ASSIGN_OR_RETURN(TrainingPair pair, makeTrainingPair(module));
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Device> device,
                         Device::open(deviceName));
  const FunctionInfo &info = pair.forward.info();
  Tensors targets = randomInputs(info, 1), tensors = randomInputs(info, 2);
  MAMBA_RETURN_IF_ERROR(run(pair.forward, device, targets));

  std::map<std::string, Adam> optimizers;
  double first = 0, loss = 0;
  for (int t = 1; t <= steps; ++t) {
    MAMBA_RETURN_IF_ERROR(run(pair.forward, device, tensors));
    loss = 0;
    size_t results = info.numResults - pair.numSaved;
    for (size_t i = 0; i < results; ++i)
      loss += addLoss(info.tensors[info.numInputs + i].name, targets, tensors);
    first = t == 1 ? loss : first;
    if (t == 1 || t % 20 == 0 || t == steps)
      std::printf("%s on %s, step %3d: loss %.3e\n", info.name.c_str(),
                  device->name().c_str(), t, loss);
    MAMBA_RETURN_IF_ERROR(run(pair.backward, device, tensors));
    for (size_t i = 0; i < info.numInputs; ++i) {
      const std::string &name = info.tensors[i].name;
      optimizers[name].step(tensors[name], tensors["d" + name], t);
    }
  }
  if (loss < first / 10)
    return Status();
  return Status(StatusCode::Internal,
                "the layer did not learn: its loss is not "
                "a tenth of the first one");
}

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: example-train LAYER.mlir [cpu|cuda:0] [STEPS]\n");
    return 1;
  }
  int steps = argc > 3 ? std::atoi(argv[3]) : 100;
  if (steps < 1) {
    std::fprintf(stderr, "error: STEPS: found '%s', required is at least 1\n",
                 argv[3]);
    return 1;
  }
  Status status = train(argv[1], argc > 2 ? argv[2] : "cpu", steps);
  if (status.ok())
    return 0;
  std::fprintf(stderr, "error: %s\n", status.message().c_str());
  return 1;
}
