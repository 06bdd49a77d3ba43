using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes;

/// <summary>A make of the platform that the contract suites run over, with a place of its own for names.</summary>
internal abstract class PlatformMake : IDisposable
{
    private readonly TempDirectory _directory = new();

    public abstract TransportPlatform Platform { get; }

    public SharedMemoryEndPoint EndPoint { get; } = new($"contract-{Guid.NewGuid():N}");

    public string Directory => _directory.Path;

    public RendezvousSocket Listen() => Platform.Listen(EndPoint, new RendezvousSettings(Directory));

    public ControlSocket? Connect() => Platform.Connect(EndPoint, Directory, out _);

    public virtual void Dispose() => _directory.Dispose();
}
