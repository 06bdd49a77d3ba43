using System.Runtime.InteropServices;
using System.Text;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// An <c>eventfd</c>. Its counter is never read: an edge-triggered poller reports each write, and nobody rings 2⁶⁴
/// times.
/// </summary>
/// <remarks>
/// A write could block only if the counter were full <em>and</em> the peer, which shares the open file, had cleared
/// <c>O_NONBLOCK</c>. The threat model (<c>docs/why/threat-model.md</c>, "Doorbells") says why that is accepted.
/// </remarks>
internal sealed unsafe class LinuxDoorbell : Doorbell
{
    private readonly SafeFileDescriptor _descriptor;

    public LinuxDoorbell(SafeFileDescriptor descriptor) => _descriptor = descriptor;

    public override IPollSource Source => _descriptor;

    public override SafeHandle Grant => _descriptor;

    /// <summary>
    /// Refuses a descriptor that is no non-blocking <c>eventfd</c>: a write to a pipe or a file would do something
    /// else.
    /// </summary>
    public static void Check(SafeFileDescriptor descriptor)
    {
        // The whole text of the link is compared: a file of that name would have a path before it.
        Span<byte> link = stackalloc byte[64];
        var path = $"/proc/self/fd/{descriptor.Number}";
        var length = Libc.ReadLink(path, link);
        if (length < 0)
        {
            throw LinuxError.Create(
                $"A doorbell cannot be checked by '{path}'; is /proc mounted?", "readlink", Libc.LastError);
        }

        link = link[..length];
        if (!link.SequenceEqual("anon_inode:[eventfd]"u8))
        {
            throw new SharedMemoryProtocolException(
                "The server offers a doorbell (which wakes the other process) that is no eventfd but "
                    + $"'{Encoding.UTF8.GetString(link)}'.");
        }

        var flags = Libc.Control(descriptor, Libc.F_GETFL, 0);
        if (flags < 0)
        {
            throw LinuxError.Create("A doorbell cannot be checked", "fcntl(F_GETFL)", Libc.LastError);
        }

        if ((flags & Libc.O_NONBLOCK) == 0)
        {
            throw new SharedMemoryProtocolException(
                "The doorbell that the server offers would block the process that rings it.");
        }
    }

    public override void Ring()
    {
        ulong one = 1;
        while (Libc.Write(_descriptor, &one, sizeof(ulong)) < 0 && Libc.LastError == Libc.EINTR)
        {
        }

        // EAGAIN, the other possible failure, means that the counter is full, so the doorbell has been rung.
    }

    public override void Dispose() => _descriptor.Dispose();
}
