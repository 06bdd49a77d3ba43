namespace GrpcShm.Testing;

/// <summary>The source tree of the tests. Each runs in its folder tests/PROJECT/bin/Release/net10.0.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    public static string Framework { get; } = Path.GetFileName(
        Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    public static string Configuration { get; } =
        Path.GetFileName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!;

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Join(directory, "GrpcShm.sln")))
        {
            directory = Path.GetDirectoryName(directory)
                ?? throw new InvalidOperationException("The tests do not run in the source tree, which they look at.");
        }

        return directory;
    }
}
