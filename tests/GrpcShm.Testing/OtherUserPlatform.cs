using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Testing;

/// <summary>
/// The system's own make of the platform, on which clients that look into one directory connect as another user. Only
/// the connecting itself runs as that user. A whole client must not: threads inherit the user of the thread that
/// starts them, and the thread pool would have threads of that user afterwards.
/// </summary>
internal sealed class OtherUserPlatform : TransportPlatform
{
    private static readonly Lock Gate = new();
    private static readonly ConcurrentDictionary<string, bool> Directories = new(StringComparer.Ordinal);

    private readonly TransportPlatform _inner;

    private OtherUserPlatform(TransportPlatform inner) => _inner = inner;

    /// <summary>The id of the user of this process.</summary>
    public static string OwnId => Current.CurrentUser.Id;

    /// <summary>The id of the other user.</summary>
    public static string OtherId { get; } = OtherUser.Id.ToString(CultureInfo.InvariantCulture);

    public override PeerIdentity CurrentUser => _inner.CurrentUser;

    public override string PrivilegedUsers => _inner.PrivilegedUsers;

    /// <summary>
    /// Lets the other user into a directory, and lets clients that look for a server there connect as that user, until
    /// the result is disposed. The platform stays then, since other tests may use it at the same time. It changes
    /// nothing for them.
    /// </summary>
    /// <param name="directory">The directory of the server's socket, which no other test uses.</param>
    public static IDisposable Enter(string directory)
    {
        lock (Gate)
        {
            if (Current is not OtherUserPlatform)
            {
                Current = new OtherUserPlatform(Current);
            }
        }

        // Others may enter, and still only the owner may write.
        File.SetUnixFileMode(directory, (UnixFileMode)0x1ED);
        Directories[directory] = true;
        return new Entrance(directory);
    }

    public override string? FindUserName(PeerIdentity user) => _inner.FindUserName(user);

    public override RendezvousSocket Listen(SharedMemoryEndPoint endPoint, RendezvousSettings settings) =>
        _inner.Listen(endPoint, settings);

    public override ControlSocket? Connect(
        SharedMemoryEndPoint endPoint, string? directory, out ServerAbsence? absence)
    {
        var place = endPoint.IsPath ? Path.GetDirectoryName(endPoint.Name) : directory;
        if (place is null || !Directories.ContainsKey(place))
        {
            return _inner.Connect(endPoint, directory, out absence);
        }

        // It does not block, so this thread waits for little more than the start of another one.
        ControlSocket? socket;
        (socket, absence) = OtherUser.RunAsync(() =>
        {
            var found = _inner.Connect(endPoint, directory, out var missing);
            return (found, missing);
        }).GetAwaiter().GetResult();
        return socket;
    }

    public override SharedAllocation Allocate(long size) => _inner.Allocate(size);

    public override MappedMemory Open(SafeHandle grant, long size) => _inner.Open(grant, size);

    public override Doorbell CreateDoorbell() => _inner.CreateDoorbell();

    public override Doorbell OpenDoorbell(SafeHandle grant) => _inner.OpenDoorbell(grant);

    public override Poller CreatePoller() => _inner.CreatePoller();

    public override ThreadWatch WatchThread() => _inner.WatchThread();

    private sealed class Entrance(string directory) : IDisposable
    {
        public void Dispose() => Directories.TryRemove(directory, out _);
    }
}
