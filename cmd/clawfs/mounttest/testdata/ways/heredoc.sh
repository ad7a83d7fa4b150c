cat > f.json <<END
{
  "here": "$((1 + 1))"
}
END
cat > new.json <<< '[]'
