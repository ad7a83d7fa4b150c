using System; using System.IO; using Newtonsoft.Json; using Newtonsoft.Json.Linq;
class P { static void Main(string[] a) { var v = JObject.Parse(File.ReadAllText(a[0])); Console.WriteLine("ready"); Console.ReadLine(); v["added"] = 1; File.WriteAllText(a[0], v.ToString(Formatting.Indented)); } }
