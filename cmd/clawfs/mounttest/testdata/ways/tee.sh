echo '{"tee":1}' | tee f.json new.json
printf ' \n' | tee -a f.json
