/// The version of the package: what `fisher --version`, doctor and the first line of a run's JSON say.
package let packageVersion = "0.1.0"
