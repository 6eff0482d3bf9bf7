# What a user of the vendor's provider writes, with the cloud's addresses replaced by the mock's, and the provider's
# source by the name under which build.py has built it.

terraform {
  required_providers {
    huaweicloud = {
      source  = "terraform.example/huaweicloud/huaweicloud"
      version = "1.95.0"
    }
  }
}

variable "mock_url" {
  type = string
}

variable "project_id" {
  type    = string
  default = null # the provider then looks up the project of the region
}

variable "secret_key" {
  type    = string
  default = "SKEXAMPLE"
}

variable "user" {
  type    = object({ name = string, password = string, domain = string })
  default = null # signed with the access key; otherwise with a token for this user
}

variable "batches" {
  type    = map(list(object({ id = string, version = string })))
  default = {}
}

variable "delay" {
  type    = string
  default = "false"
}

provider "huaweicloud" {
  region     = "cn-north-4"
  project_id = var.project_id

  access_key = var.user == null ? "AKEXAMPLE" : null
  secret_key = var.user == null ? var.secret_key : null

  user_name   = try(var.user.name, null)
  password    = try(var.user.password, null)
  domain_name = try(var.user.domain, null)

  auth_url = "${var.mock_url}/v3"
  endpoints = {
    gaussdb = var.mock_url
    iam     = var.mock_url
  }

  skip_check_website_type = true # it would ask the billing service, which is not part of the mock
  max_retries             = 0    # the provider waits minutes before it tries again
}

data "huaweicloud_taurusdb_instances" "fleet" {}

resource "huaweicloud_taurusdb_instance_database_batch_upgrade" "batch" {
  for_each = var.batches
  delay    = var.delay

  dynamic "databases_instance_infos" {
    for_each = each.value
    content {
      instance_id     = databases_instance_infos.value.id
      current_version = databases_instance_infos.value.version
    }
  }
}

output "names" {
  value = { for instance in data.huaweicloud_taurusdb_instances.fleet.instances : instance.id => instance.name }
}
