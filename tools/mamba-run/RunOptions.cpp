//===- RunOptions.cpp - What mamba-run is asked to do ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The flags and their help.
//
//===----------------------------------------------------------------------===//

#include "tools/mamba-run/RunOptions.h"

using namespace mamba;

/// Like takePair, but a name may come again.
static std::function<Status(std::string_view)>
takeOutput(std::vector<std::pair<std::string, std::string>> &outputs) {
  return [&outputs](std::string_view value) {
    std::map<std::string, std::string> one;
    MAMBA_RETURN_IF_ERROR(takePair(one)(value));
    outputs.emplace_back(*one.begin());
    return Status();
  };
}

CommandLine RunOptions::commandLine() {
  CommandLine line{"mamba-run",
                   "Compiles a function of an MLIR file, runs it, and compares "
                   "it with the reference.",
                   "FILE.mlir",
                   {}};
  line.flags = {
      {"device", "DEVICE",
       "cpu (default), cuda:N, simt (GPU kernels, simulated), or reference "
       "(fp64)",
       takeText(device)},
      {"output", "NAME=FILE",
       "write a result, by name or number: .npy, .safetensors, .wav, or .png "
       "(spectrogram); NAME:K is channel K alone, NAME:mix the channels' sum",
       takeOutput(outputs)},
      {"verify", "",
       "compare with the fp64 reference; with --grad --device=reference: with "
       "differences of the function",
       takeSwitch(verify)},
      {"time", "", "time launches after warm-up", takeSwitch(time)},
      {"graph", "", "with --time: queue the launches as a CUDA graph",
       takeSwitch(graph)},
      {"repeats", "N", "measurements of --time (default 20)",
       takeNumber(repeats, 1)},
      {"schedule", "ATTRIBUTE",
       "#ssm.schedule<...> or #ssm.cpu_schedule<...> for the default one",
       takeText(schedule)},
      backendFlag(backend),
      {"dump", "STAGE",
       "print model, fused, schedule, gpu, cpu, llvm, ptx, cuda or asm and "
       "stop",
       takeText(dump)},
      {"emit", "FILE", "write the compiled variant", takeText(artifact)},
      {"report", "FILE.json", "write what was measured", takeText(report)}};
  for (auto flags : {ChoiceOptions::flags(), InputOptions::flags()})
    line.flags.insert(line.flags.end(), flags.begin(), flags.end());
  return line;
}
