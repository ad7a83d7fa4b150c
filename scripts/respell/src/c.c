/* cc -DJANSSON|CJSON|JSONC|GLIB c.c */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void go(void) { puts("ready"); fflush(stdout); char line[9]; if (!fgets(line, sizeof line, stdin)) exit(3); }
static char *slurp(const char *f) { FILE *h = fopen(f, "rb"); fseek(h, 0, SEEK_END); long n = ftell(h); rewind(h); char *s = calloc(n + 1, 1); if (fread(s, 1, n, h) != (size_t)n) exit(3); fclose(h); return s; }
static void spit(const char *f, const char *s) { FILE *h = fopen(f, "wb"); if (!s || fputs(s, h) < 0 || fclose(h)) exit(4); }
#ifdef JANSSON
#include <jansson.h>
int main(int n, char **a) { json_error_t e; char *t = slurp(a[1]); json_t *v = json_loads(t, 0, &e); if (!v) { fprintf(stderr, "%s\n", e.text); return 2; } go(); json_object_set_new(v, "added", json_integer(1)); spit(a[1], json_dumps(v, JSON_INDENT(2))); return n != 2; }
#elif defined CJSON
#include <cjson/cJSON.h>
int main(int n, char **a) { cJSON *v = cJSON_Parse(slurp(a[1])); if (!v) return 2; go(); cJSON_AddNumberToObject(v, "added", 1); spit(a[1], cJSON_Print(v)); return n != 2; }
#elif defined JSONC
#include <json-c/json.h>
int main(int n, char **a) { struct json_object *v = json_tokener_parse(slurp(a[1])); if (!v) return 2; go(); json_object_object_add(v, "added", json_object_new_int(1)); spit(a[1], json_object_to_json_string_ext(v, JSON_C_TO_STRING_PRETTY)); return n != 2; }
#elif defined GLIB
#include <json-glib/json-glib.h>
int main(int n, char **a) { JsonNode *v = json_from_string(slurp(a[1]), NULL); if (!v) return 2; go(); json_object_set_int_member(json_node_get_object(v), "added", 1); spit(a[1], json_to_string(v, TRUE)); return n != 2; }
#endif
