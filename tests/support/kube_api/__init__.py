"""What only our own tests need around API servers: certificates, and a real kube-apiserver."""
