// c++ -DNLOHMANN|RAPIDJSON|RAPIDFULL|JSONCPP|BOOST|PTREE|QT cpp.cc
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
static void go() { std::cout << "ready" << std::endl; std::string line; std::getline(std::cin, line); }
static std::string slurp(const char *f) { std::ifstream in(f); std::stringstream s; s << in.rdbuf(); return s.str(); }
static void spit(const char *f, const std::string &s) { std::ofstream out(f); out << s; out.close(); if (!out) exit(4); }
#if defined NLOHMANN
#include <nlohmann/json.hpp>
int main(int, char **a) { auto v = nlohmann::ordered_json::parse(slurp(a[1])); go(); v["added"] = 1; spit(a[1], v.dump(2)); }
#elif defined RAPIDJSON || defined RAPIDFULL
#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
int main(int, char **a) {
  rapidjson::Document v; std::string t = slurp(a[1]);
#ifdef RAPIDFULL
  v.Parse<rapidjson::kParseFullPrecisionFlag>(t.c_str());
#else
  v.Parse(t.c_str());
#endif
  if (v.HasParseError()) return 2; go(); v.AddMember("added", 1, v.GetAllocator());
  rapidjson::StringBuffer b; rapidjson::PrettyWriter<rapidjson::StringBuffer> w(b); v.Accept(w); spit(a[1], b.GetString()); }
#elif defined JSONCPP
#include <json/json.h>
int main(int, char **a) { Json::Value v; std::istringstream s(slurp(a[1])); s >> v; go(); v["added"] = 1; Json::StreamWriterBuilder w; spit(a[1], Json::writeString(w, v)); }
#elif defined BOOST
#include <boost/json/src.hpp>
int main(int, char **a) { auto v = boost::json::parse(slurp(a[1])); go(); v.as_object()["added"] = 1; spit(a[1], boost::json::serialize(v)); }
#elif defined PTREE
#include <boost/property_tree/json_parser.hpp>
int main(int, char **a) { boost::property_tree::ptree v; std::istringstream s(slurp(a[1])); read_json(s, v); go(); v.put("added", 1); std::ostringstream o; write_json(o, v); spit(a[1], o.str()); }
#elif defined QT
#include <QJsonDocument>
#include <QJsonObject>
int main(int, char **a) { auto d = QJsonDocument::fromJson(QByteArray::fromStdString(slurp(a[1]))); if (d.isNull()) return 2; go(); auto o = d.object(); o["added"] = 1; d.setObject(o); spit(a[1], d.toJson().toStdString()); }
#elif defined STREAMS
#include <nlohmann/json.hpp>
// A program that keeps its numbers as double and prints them with a stream's 6 digits.
static void print(std::ostream &o, const nlohmann::ordered_json &v) {
  if (v.is_number_float()) o << v.get<double>();
  else if (v.is_object()) { o << '{'; bool c = false; for (auto &[k, x] : v.items()) { if (c) o << ','; c = true; o << nlohmann::json(k).dump() << ':'; print(o, x); } o << '}'; }
  else if (v.is_array()) { o << '['; bool c = false; for (auto &x : v) { if (c) o << ','; c = true; print(o, x); } o << ']'; }
  else o << v.dump();
}
int main(int, char **a) { auto v = nlohmann::ordered_json::parse(slurp(a[1])); go(); v["added"] = 1; std::ostringstream o; print(o, v); spit(a[1], o.str()); }
#endif
