using System.Runtime.InteropServices;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Handshake;

/// <summary>The server's message and handles for a client, of which the test may replace any part.</summary>
internal sealed class HostileServer : IDisposable
{
    public const int RingSize = RingSizes.Smallest;
    private readonly List<IDisposable> _owned = [];

    public ServerHello Answer { get; set; } = new(1, ConnectionModes.Bytes, RingSize, RingSize, 0, 0);

    /// <summary>Replaces the message that is sent.</summary>
    public byte[]? Message { get; set; }

    public List<SafeHandle> Handles { get; } = [];

    public static long SegmentSize => SegmentLayout.TotalSize(RingSize, RingSize);

    /// <summary>Fills in the parts of a well-behaved server.</summary>
    public HostileServer Good()
    {
        Handles.AddRange([Memory(SegmentSize, Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW), Bell(), Bell()]);
        return this;
    }

    public SafeFileDescriptor Bell() => Own(Libc.EventCreate());

    public unsafe SafeFileDescriptor Memory(long size, int seals, Action<nint>? change = null)
    {
        var file = Own(Libc.MemfdCreate("grpcshm", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING));
        Assert.Equal(0, Libc.Truncate(file, size));
        using (var mapping = LinuxMappedMemory.Map(file, size))
        {
            SharedSegment.Create(mapping, RingSize, RingSize);
            change?.Invoke((nint)mapping.Pointer);
        }

        Assert.Equal(0, Libc.Control(file, Libc.F_ADD_SEALS, seals));
        return file;
    }

    public T Own<T>(T handle)
        where T : IDisposable
    {
        _owned.Add(handle);
        return handle;
    }

    /// <summary>Serves one client, and returns the client's answer.</summary>
    public async Task<ControlMessage?> ServeAsync(RendezvousSocket socket)
    {
        ControlSocket? client = null;
        await TimeLimit.UntilAsync(() => (client = socket.Accept()) is not null, () => "Nobody connected.");
        using (client)
        {
            Assert.Equal(ControlMessageType.ClientHello, (await ReceiveAsync(client!))?.Type);
            Descriptors.Send((SafeHandle)client!.Source, Message ?? Answer.Write(), [.. Handles]);
            return await ReceiveAsync(client);
        }
    }

    public void Dispose() => _owned.ForEach(o => o.Dispose());

    private static async Task<ControlMessage?> ReceiveAsync(ControlSocket client)
    {
        var buffer = new byte[ControlMessage.MaxSize];
        var count = -1;
        await TimeLimit.UntilAsync(() => (count = client.Receive(buffer, [])) >= 0, () => "The client says nothing.");
        return count == 0 ? null : ControlMessage.Read(buffer.AsSpan(0, count), []);
    }
}
