namespace GrpcShm.Samples.Tests;

/// <summary>Where the tests run: …/tests/GrpcShm.Samples.Tests/bin/Release/net10.0 in the source tree.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    public static string Framework { get; } = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    public static string Configuration { get; } =
        Path.GetFileName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!;

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "GrpcShm.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run in the source tree.");
        }

        return folder;
    }
}
