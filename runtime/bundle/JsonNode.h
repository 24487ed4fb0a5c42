//===- JsonNode.h - JSON of strangers, read with care -----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A node knows where it is in the file. The first thing that is not as asked
// for is the error of the whole reading; what is read after it are zeros, so
// that a parser checks once at its end.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_BUNDLE_JSONNODE_H
#define MAMBA_RUNTIME_BUNDLE_JSONNODE_H

#include "runtime/Status.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace mamba {

class JsonNode {
public:
  JsonNode(const nlohmann::json &value, Status &status)
      : value_(&value), status_(&status) {}

  bool has(const char *name) const {
    return value_->is_object() && value_->contains(name);
  }

  /// The member called `name`, which outlives the node.
  JsonNode operator[](const char *name) const {
    if (has(name))
      return child((*value_)[name], {name, -1});
    JsonNode missing = child(kNull, {name, -1});
    missing.fail("is missing");
    return missing;
  }

  std::vector<JsonNode> items() const {
    std::vector<JsonNode> nodes;
    if (!value_->is_array())
      fail("is no array");
    else
      for (size_t i = 0; i < value_->size(); ++i)
        nodes.push_back(child((*value_)[i], {nullptr, int64_t(i)}));
    return nodes;
  }

  std::string text() const {
    if (value_->is_string())
      return value_->get<std::string>();
    fail("is no text");
    return {};
  }

  bool truth() const {
    if (value_->is_boolean())
      return value_->get<bool>();
    fail("is neither true nor false");
    return false;
  }

  int64_t number(int64_t least, int64_t most) const {
    bool isWhole = value_->is_number_integer() &&
                   !(value_->is_number_unsigned() &&
                     value_->get<uint64_t>() > uint64_t(INT64_MAX));
    int64_t found = isWhole ? value_->get<int64_t>() : 0;
    if (isWhole && found >= least && found <= most)
      return found;
    fail(fmt::format("is no whole number from {} to {}", least, most));
    return 0;
  }

  /// What `parse` makes of the text.
  template <typename T, typename Parse>
  T parsed(Parse &&parse, std::string_view required) const {
    std::string found = text();
    if (auto result = parse(std::string_view(found)))
      return *result;
    fail(fmt::format("is '{}', required {}", found, required));
    return {};
  }

  void fail(std::string_view text) const {
    if (status_->ok())
      *status_ =
          Status(StatusCode::CorruptData, fmt::format("{} {}", path(), text));
  }

private:
  /// A member by name, or an element by index.
  struct Step {
    const char *name;
    int64_t index;
  };
  /// Deeper than any manifest's member.
  static constexpr size_t kMaxDepth = 12;

  JsonNode child(const nlohmann::json &value, Step step) const {
    JsonNode node = *this;
    node.value_ = &value;
    if (depth_ < kMaxDepth)
      node.steps_[node.depth_++] = step;
    return node;
  }

  /// "functions[0].variants[1]": made only for errors, since a manifest has
  /// thousands of nodes.
  std::string path() const {
    std::string path;
    for (size_t i = 0; i < depth_; ++i)
      if (steps_[i].name)
        path += (i ? "." : "") + std::string(steps_[i].name);
      else
        path += fmt::format("[{}]", steps_[i].index);
    return path;
  }

  static inline const nlohmann::json kNull;
  const nlohmann::json *value_;
  Status *status_;
  size_t depth_ = 0;
  Step steps_[kMaxDepth];
};

/// A file's JSON. The destructor of nlohmann::json collects all children in a
/// vector, and ends the program if there is no memory for that; this one leaves
/// it no children.
class JsonDocument {
public:
  explicit JsonDocument(nlohmann::json value) : value_(std::move(value)) {}
  JsonDocument(JsonDocument &&) = default;
  ~JsonDocument() { dismantle(value_, kMaxDepth); }

  /// The first thing that is not as asked for becomes `status`.
  JsonNode root(Status &status) const { return JsonNode(value_, status); }

private:
  /// Deeper than any manifest; what is deeper is of strangers, and must not
  /// overflow the stack here.
  static constexpr int kMaxDepth = 32;

  static void dismantle(nlohmann::json &value, int depth) {
    if (!value.is_structured() || depth == 0)
      return;
    for (nlohmann::json &child : value)
      dismantle(child, depth - 1);
    value.clear();
  }

  nlohmann::json value_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_BUNDLE_JSONNODE_H
