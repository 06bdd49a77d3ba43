namespace GrpcShm.Conformance.Tests;

/// <summary>The repository that the tests run within.</summary>
internal static class SourceTree
{
    /// <summary>Its directory.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Join(directory, "GrpcShm.sln")))
        {
            directory = Path.GetDirectoryName(directory)
                ?? throw new InvalidOperationException("The tests do not run within their repository.");
        }

        return directory;
    }
}
