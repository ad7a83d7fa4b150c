jsonnet -e "$(cat) + { added: 1 }"
