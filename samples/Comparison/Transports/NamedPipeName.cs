namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>Names of pipes that nobody else uses.</summary>
internal static class NamedPipeName
{
    /// <summary>A path in the directory where pipes are files, else a name that has the directory's in it.</summary>
    public static string In(string directory, string name) =>
        OperatingSystem.IsWindows() ? $"{Path.GetFileName(directory)}-{name}" : Path.Combine(directory, name + ".pipe");
}
