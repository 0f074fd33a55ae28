// Package mlflow tells a tracker of MLflow of a run, by its REST API. It asks the address that
// it is given, and no other: where that leads elsewhere, the answer is an error.
// https://mlflow.org/docs/latest/rest-api.html
package mlflow
