namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>Makes unique names of pipes.</summary>
internal static class NamedPipeName
{
    /// <summary>
    /// A path in the directory if pipes are files, otherwise a name that contains the directory's name.
    /// </summary>
    public static string In(string directory, string name) =>
        OperatingSystem.IsWindows() ? $"{Path.GetFileName(directory)}-{name}" : Path.Combine(directory, name + ".pipe");
}
