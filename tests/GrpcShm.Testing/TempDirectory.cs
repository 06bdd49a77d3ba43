namespace GrpcShm.Testing;

/// <summary>
/// A directory of mode 0700 for one test or fixture, with a path short enough for a socket. It is deleted at the end.
/// </summary>
public sealed class TempDirectory : IDisposable
{
    /// <summary>The directory's path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("grpcshm-test-").FullName;

    /// <summary>A place for a socket in it.</summary>
    public string Socket => File("test.sock");

    /// <summary>The names of its files and directories.</summary>
    public IEnumerable<string> Files =>
        new DirectoryInfo(Path).EnumerateFileSystemInfos().Select(static file => file.Name);

    /// <summary>The path of a file in it.</summary>
    public string File(string name) => System.IO.Path.Join(Path, name);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
