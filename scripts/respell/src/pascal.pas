program pascal; {$mode objfpc}
uses cwstring, classes, sysutils, fpjson, jsonparser;
var d: TJSONData; s: TStringList;
begin
  SetMultiByteConversionCodePage(CP_UTF8);
  s := TStringList.Create; s.LoadFromFile(ParamStr(1)); d := GetJSON(s.Text, true);
  writeln('ready'); flush(output); readln;
  (d as TJSONObject).Add('added', 1);
  s.Text := d.FormatJSON; s.SaveToFile(ParamStr(1));
end.
