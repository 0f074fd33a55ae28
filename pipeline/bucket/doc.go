// Package bucket lists, reads and writes the objects of stores: s3://NAME/PREFIX of AWS and what
// is like it, gs://NAME/PREFIX of Google, azblob://NAME/PREFIX of Azure, which the build tag
// noazure leaves out.
//
// Who asks is found as AWS's own tools find it: AWS_ACCESS_KEY_ID and its fellows, the profile
// AWS_PROFILE of ~/.aws/credentials, or the role of the machine or pod. AWS_ENDPOINT_URL_S3 or
// AWS_ENDPOINT_URL names another store than AWS, AWS_REGION its region. Google's
// credentials are what its tools call the default ones; STORAGE_EMULATOR_HOST names an emulator.
// Azure's account is in AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT names it, with
// AZURE_STORAGE_KEY or whoever is logged in. What identifies is written nowhere.
package bucket
