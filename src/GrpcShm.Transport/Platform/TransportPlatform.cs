using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Platform;

/// <summary>
/// The services of an operating system: memory that two processes share, doorbells, a way to wait for many of them,
/// and a place to meet. The code above is the same on every system and does not know on which it runs.
/// </summary>
internal abstract class TransportPlatform
{
    /// <summary>The make of this system. Tests put a make in front of it whose resources run out on demand.</summary>
    public static TransportPlatform Current { get; set; } =
        OperatingSystem.IsLinux() && Environment.Is64BitProcess && BitConverter.IsLittleEndian
            ? new LinuxPlatform()
            : new UnsupportedPlatform();

    /// <summary>The user on whose behalf this process acts right now.</summary>
    public abstract PeerIdentity CurrentUser { get; }

    /// <summary>
    /// The system's name, for messages, of the users whose <see cref="PeerIdentity.IsPrivileged"/> is true.
    /// </summary>
    public abstract string PrivilegedUsers { get; }

    /// <summary>
    /// The name by which this system knows a user. May take long: the list of users may be on another machine.
    /// </summary>
    /// <returns><see langword="null"/> if the system has no name for this user.</returns>
    /// <exception cref="IOException">The list of users cannot be read; the message says why.</exception>
    public abstract string? FindUserName(PeerIdentity user);

    /// <summary>Takes an endpoint's name.</summary>
    /// <exception cref="EndPointInUseException">A live process listens on the endpoint.</exception>
    /// <exception cref="IOException">The name cannot be taken; the message says why.</exception>
    public abstract RendezvousSocket Listen(SharedMemoryEndPoint endPoint, RendezvousSettings settings);

    /// <summary>Connects to the process that listens on an endpoint. Does not block.</summary>
    /// <returns>The socket, or <see langword="null"/> if nobody listens, or too many are waiting, right now.</returns>
    /// <param name="endPoint">The endpoint.</param>
    /// <param name="directory">The directory for names, or <see langword="null"/>.</param>
    /// <param name="absence">The reason if nobody listens, for messages; else <see langword="null"/>.</param>
    /// <exception cref="IOException">The endpoint cannot be reached; the message says why.</exception>
    public abstract ControlSocket? Connect(
        SharedMemoryEndPoint endPoint, string? directory, out ServerAbsence? absence);

    /// <summary>Allocates memory in full, of a size that nobody can change afterwards.</summary>
    /// <exception cref="IOException">There is not enough memory.</exception>
    public abstract SharedAllocation Allocate(long size);

    /// <summary>Maps memory that the peer has allocated, after checking that it can neither shrink nor grow.</summary>
    /// <exception cref="SharedMemoryProtocolException">The memory has another size, or may change.</exception>
    public abstract MappedMemory Open(SafeHandle grant, long size);

    public abstract Doorbell CreateDoorbell();

    /// <summary>Takes over a doorbell that the peer has created, after checking that it is a doorbell.</summary>
    /// <exception cref="SharedMemoryProtocolException">It is not a doorbell.</exception>
    public abstract Doorbell OpenDoorbell(SafeHandle grant);

    public abstract Poller CreatePoller();

    /// <summary>Watches the calling thread, for as long as it runs.</summary>
    public abstract ThreadWatch WatchThread();
}
