import groovy.json.JsonOutput
import groovy.json.JsonSlurper

def file = new File(args[0]); def value = new JsonSlurper().parse(file, 'UTF-8')
println 'ready'; System.in.newReader().readLine()
value.added = 1
file.setText(JsonOutput.prettyPrint(JsonOutput.toJson(value)), 'UTF-8')
