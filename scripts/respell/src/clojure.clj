(require '[clojure.data.json :as json])
(let [file (first *command-line-args*) value (json/read-str (slurp file))]
  (println "ready") (flush) (read-line)
  (spit file (json/write-str (assoc value "added" 1))))
