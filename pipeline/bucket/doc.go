// Package bucket lists, reads and writes the objects of an S3-compatible store: s3://NAME/PREFIX.
//
// Who asks is found as AWS's own tools find it: AWS_ACCESS_KEY_ID and its fellows, the profile
// AWS_PROFILE of ~/.aws/credentials, or the role of the machine or pod. AWS_ENDPOINT_URL_S3 or
// AWS_ENDPOINT_URL names another store than AWS, AWS_REGION its region. What identifies is
// written nowhere.
package bucket
