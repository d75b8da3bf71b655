// What both ends of the gRPC side need: whole files, and the bodies of a payload file as messages.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "ingest_grpc.grpc.pb.h"
#include "model.pb.h"

inline std::string whole_file(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<std::string> bodies_of(const std::string &file) {
    std::vector<std::string> out;
    for (size_t at = 0; at + 4 <= file.size();) {
        auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(file[at + i])); };
        size_t n = byte(0) | byte(1) << 8 | byte(2) << 16;
        out.push_back(file.substr(at + 4, n));
        at += 4 + n;
    }
    return out;
}
