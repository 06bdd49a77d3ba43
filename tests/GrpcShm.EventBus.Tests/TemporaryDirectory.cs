namespace GrpcShm.EventBus.Tests;

/// <summary>A directory of one test's own.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("eventbus-");

    public string Socket { get; }

    public TemporaryDirectory() => Socket = Path.Combine(_directory.FullName, "hub.sock");

    public void Dispose() => _directory.Delete(recursive: true);
}
