# In the template for Resource Formation Service this stands in place of the module's versions.tf:
# there the provider has another name, and the template is not called by anything that sets it up.
# RFS takes the newest provider that it has, and retires old ones, so there is no upper limit.
terraform {
  required_version = ">= 1.2"

  required_providers {
    huaweicloud = {
      source  = "huawei.com/provider/huaweicloud"
      version = ">= 1.70.1"
    }
  }
}

provider "huaweicloud" {
  region = var.region
}
