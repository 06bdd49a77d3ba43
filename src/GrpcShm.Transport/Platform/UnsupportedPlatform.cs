using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform;

/// <summary>A system that has no make yet: each call throws an exception that says so.</summary>
internal sealed class UnsupportedPlatform : TransportPlatform
{
    public override PeerIdentity CurrentUser => throw Unsupported();

    public override string PrivilegedUsers => throw Unsupported();

    public override string? FindUserName(PeerIdentity user) => throw Unsupported();

    public override RendezvousSocket Listen(SharedMemoryEndPoint endPoint, RendezvousSettings settings) =>
        throw Unsupported();

    public override ControlSocket? Connect(
        SharedMemoryEndPoint endPoint, string? directory, out ServerAbsence? absence) => throw Unsupported();

    public override SharedAllocation Allocate(long size) => throw Unsupported();

    public override MappedMemory Open(SafeHandle grant, long size) => throw Unsupported();

    public override Doorbell CreateDoorbell() => throw Unsupported();

    public override Doorbell OpenDoorbell(SafeHandle grant) => throw Unsupported();

    public override Poller CreatePoller() => throw Unsupported();

    public override ThreadWatch WatchThread() => throw Unsupported();

    private static PlatformNotSupportedException Unsupported() =>
        new("gRPC over shared memory runs on 64-bit Linux (x64, arm64) so far, not on "
            + $"{RuntimeInformation.OSDescription} ({RuntimeInformation.ProcessArchitecture}). Use a Unix socket, a "
            + "named pipe or TCP there.");
}
