args <- commandArgs(TRUE)
file <- args[1]; text <- readChar(file, file.info(file)$size, useBytes = TRUE); Encoding(text) <- 'UTF-8'
if (args[2] == 'jsonlite') { value <- jsonlite::fromJSON(text, simplifyVector = FALSE)
  print_it <- function(v) jsonlite::toJSON(v, auto_unbox = TRUE, null = 'null', digits = NA, pretty = TRUE)
} else if (args[2] == 'jsonlite-4') { value <- jsonlite::fromJSON(text, simplifyVector = FALSE)
  print_it <- function(v) jsonlite::toJSON(v, auto_unbox = TRUE, null = 'null', pretty = TRUE)
} else { value <- rjson::fromJSON(text, simplify = FALSE); print_it <- function(v) rjson::toJSON(v) }
cat('ready\n'); flush(stdout()); invisible(readLines(base::file('stdin'), 1))
value$added <- 1
writeLines(print_it(value), base::file(file, 'w', encoding = 'UTF-8'), useBytes = TRUE); closeAllConnections()
