namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>A directory for one fixture's or one test's endpoints, short enough for a socket's path, gone afterwards.</summary>
public sealed class TestDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("grpcshm-");

    /// <summary>The directory's path.</summary>
    public string FullName => _directory.FullName;

    /// <summary>The names of the files in it.</summary>
    public IEnumerable<string> Files => _directory.EnumerateFileSystemInfos().Select(file => file.Name);

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);
}
