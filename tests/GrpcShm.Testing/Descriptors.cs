using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Testing;

/// <summary>The descriptors of this process, without the run-time's own files.</summary>
internal static partial class Descriptors
{
    // The run-time's own engine for sockets also has a descriptor, from the first wait on.
    static Descriptors()
    {
        using var directory = new TempDirectory();
        var endPoint = new UnixDomainSocketEndPoint(directory.File("warm"));
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(endPoint);
        listener.Listen();
        client.Connect(endPoint);
        using var accepted = listener.Accept();
        var received = accepted.ReceiveAsync(new byte[1]);
        client.Send([1]);
        received.GetAwaiter().GetResult();
    }

    public static int Count => Targets().Count();

    /// <summary>The targets of the descriptors, for a message.</summary>
    public static string List() => string.Join('\n', Targets());

    /// <summary>Duplicates the descriptor that is open on a path, as a fork does.</summary>
    public static SafeFileDescriptor Duplicate(string path)
    {
        var number = Directory.GetFiles("/proc/self/fd")
            .Where(f => new FileInfo(f).LinkTarget == path)
            .Select(f => int.Parse(Path.GetFileName(f), CultureInfo.InvariantCulture))
            .Single();
        return new SafeFileDescriptor(Dup(number));
    }

    /// <summary>Makes a named pipe and opens it for both directions without blocking.</summary>
    public static SafeFileDescriptor OpenNamedPipe(string path)
    {
        Assert.Equal(0, MakeFifo(path, 0x180));
        return Libc.Open(path, Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0);
    }

    /// <summary>Removes the pages of a file, without changing its size.</summary>
    public static void PunchHole(SafeFileDescriptor file, long length)
    {
        const int KeepSizeAndPunchHole = 1 | 2;
        Assert.Equal(0, Allocate(file, KeepSizeAndPunchHole, 0, length));
    }

    /// <summary>The flags that a descriptor was opened with, as the kernel shows them.</summary>
    public static int Flags(int number) =>
        Convert.ToInt32(
            File.ReadLines($"/proc/self/fdinfo/{number}")
                .Single(l => l.StartsWith("flags:", StringComparison.Ordinal))[6..].Trim(),
            8);

    /// <summary>The descriptors whose targets are of this kind.</summary>
    public static IEnumerable<int> Of(Func<string, bool> kind) =>
        from path in Directory.GetFiles("/proc/self/fd")
        where new FileInfo(path).LinkTarget is { } target && kind(target)
        select int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture);

    /// <summary>Sends a message with any number of descriptors.</summary>
    public static unsafe void Send(
        SafeHandle socket, ReadOnlySpan<byte> message, params ReadOnlySpan<SafeHandle> attachments)
    {
        var controlLength = 16 + (((attachments.Length * sizeof(int)) + 7) & ~7);
        var control = stackalloc byte[controlLength];
        *(nuint*)control = (nuint)(16 + (attachments.Length * sizeof(int)));
        *(int*)(control + 8) = Libc.SOL_SOCKET;
        *(int*)(control + 12) = Libc.SCM_RIGHTS;
        for (var i = 0; i < attachments.Length; i++)
        {
            ((int*)(control + 16))[i] = (int)attachments[i].DangerousGetHandle();
        }

        fixed (byte* bytes = message)
        {
            var vector = new Libc.IoVector { Base = bytes, Length = (nuint)message.Length };
            var header = new Libc.MessageHeader
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = attachments.IsEmpty ? null : control,
                ControlLength = attachments.IsEmpty ? 0 : (nuint)controlLength,
            };
            Assert.Equal(message.Length, (int)Libc.SendMessage((SafeFileDescriptor)socket, &header, Libc.MSG_NOSIGNAL));
        }
    }

    // Without the assemblies that the run-time loads as it goes along.
    private static IEnumerable<string> Targets() =>
        Directory.GetFiles("/proc/self/fd")
            .Select(f => new FileInfo(f).LinkTarget)
            .Where(t => t is not null
                && !t.EndsWith(".dll", StringComparison.Ordinal)
                && !t.EndsWith(".pdb", StringComparison.Ordinal)
                && !t.StartsWith("/dev/", StringComparison.Ordinal)
                && !t.StartsWith("/proc/", StringComparison.Ordinal))
            .Select(t => t!);

    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Allocate(SafeFileDescriptor file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    private static partial int Dup(int descriptor);
}
