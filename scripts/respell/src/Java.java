import java.io.*;
import java.nio.file.*;
import java.util.*;

public class Java {
  static void go() throws IOException { System.out.println("ready"); System.in.read(); }
  public static void main(String[] a) throws Exception {
    Path file = Path.of(a[0]);
    String text = Files.readString(file), out;
    switch (a[1]) {
      case "gson-map" -> { var g = new com.google.gson.GsonBuilder().setPrettyPrinting().create(); Map<String, Object> v = g.fromJson(text, new com.google.gson.reflect.TypeToken<LinkedHashMap<String, Object>>() {}.getType()); go(); v.put("added", 1); out = g.toJson(v); }
      case "gson-tree" -> { var g = new com.google.gson.GsonBuilder().setPrettyPrinting().create(); var v = com.google.gson.JsonParser.parseString(text).getAsJsonObject(); go(); v.addProperty("added", 1); out = g.toJson(v); }
      case "jackson-map" -> { var m = new com.fasterxml.jackson.databind.ObjectMapper(); Map<String, Object> v = m.readValue(text, LinkedHashMap.class); go(); v.put("added", 1); out = m.writerWithDefaultPrettyPrinter().writeValueAsString(v); }
      case "jackson-tree" -> { var m = new com.fasterxml.jackson.databind.ObjectMapper(); var v = (com.fasterxml.jackson.databind.node.ObjectNode) m.readTree(text); go(); v.put("added", 1); out = v.toPrettyString(); }
      case "json-simple" -> { var v = (org.json.simple.JSONObject) new org.json.simple.parser.JSONParser().parse(text); go(); v.put("added", 1); out = v.toJSONString(); }
      default -> throw new IllegalArgumentException(a[1]);
    }
    Files.writeString(file, out);
  }
}
