using System.IO.Pipes;
using System.Runtime.CompilerServices;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;
using GrpcShm.Transport.Rendezvous;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Handshake;

/// <summary>A server that lies to its client.</summary>
[Collection(AloneCollection.Name)]
public sealed class HostileServerTests : HostileTest
{
    private const int BothSeals = Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW;

    [Fact]
    public async Task Answer_AsItShouldBe_IsTaken()
    {
        using var server = new HostileServer().Good();
        var said = await ConnectAsync(server, refused: false);
        Assert.Equal(ControlMessageType.Ready, said?.Type);
    }

    [Theory]
    [InlineData("unsealed", "not sealed")]
    [InlineData("sealed against growing only", "not sealed")]
    [InlineData("sealed against shrinking only", "not sealed")]
    [InlineData("a file", "it is no memfd")]
    [InlineData("an eventfd", "it is no memfd")]
    [InlineData("too small", "bytes where the handshake says")]
    [InlineData("too large", "bytes where the handshake says")]
    [InlineData("empty", "bytes where the handshake says")]
    public async Task Memory_NotWhatItShouldBe_IsRefused(string kind, string reason)
    {
        using var server = new HostileServer().Good();
        var size = HostileServer.SegmentSize;
        server.Handles[0] = kind switch
        {
            "unsealed" => server.Memory(size, 0),
            "sealed against growing only" => server.Memory(size, Libc.F_SEAL_GROW),
            "sealed against shrinking only" => server.Memory(size, Libc.F_SEAL_SHRINK),
            "a file" => OpenFile(server, size),
            "an eventfd" => server.Bell(),
            "too small" => server.Memory(size - 4096, BothSeals),
            "too large" => server.Memory(size + 4096, BothSeals),
            _ => Empty(server),
        };
        await RefusedAsync(server, reason);
    }

    [Theory]
    [InlineData("a pipe")]
    [InlineData("a file")]
    [InlineData("memory")]
    [InlineData("a pipe that is called like an eventfd")]
    [InlineData("an eventfd that blocks")]
    public async Task Doorbell_NotWhatItShouldBe_IsRefused(string kind)
    {
        foreach (var index in (int[])[1, 2])
        {
            using var server = new HostileServer().Good();
            using var directory = new TempDirectory();
            server.Handles[index] = kind switch
            {
                "a pipe" => server.Own(new AnonymousPipeServerStream(PipeDirection.Out)).SafePipeHandle,
                "a file" => OpenFile(server, 0),
                "memory" => server.Memory(HostileServer.SegmentSize, BothSeals),
                "an eventfd that blocks" => Blocking(server),
                _ => server.Own(Descriptors.OpenNamedPipe(directory.File("anon_inode:[eventfd]"))),
            };
            await RefusedAsync(server, "doorbell");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Handles_TooFewOrTooMany_AreRefused(int count)
    {
        using var server = new HostileServer().Good();
        server.Handles.Add(server.Bell());
        server.Handles.RemoveRange(count, server.Handles.Count - count);
        await RefusedAsync(server, "handles", saysWhy: count < 4);
    }

    [Fact]
    public async Task Handles_FarTooMany_AreRefusedAndClosed()
    {
        using var server = new HostileServer().Good();
        server.Handles.AddRange(Enumerable.Repeat(server.Handles[1], 100));
        await Assert.ThrowsAsync<SharedMemoryResourcesException>(() => ConnectAsync(server, refused: true));
    }

    [Theory]
    [InlineData(nameof(SegmentHeader.Magic))]
    [InlineData(nameof(SegmentHeader.Version))]
    [InlineData(nameof(SegmentHeader.TotalSize))]
    [InlineData(nameof(SegmentHeader.ClientToServerSize))]
    [InlineData(nameof(SegmentHeader.ServerToClientSize))]
    public async Task Header_DisagreesWithTheHandshake_IsRefused(string field)
    {
        using var server = new HostileServer().Good();
        server.Handles[0] = server.Memory(HostileServer.SegmentSize, BothSeals, memory => Spoil(memory, field));
        await RefusedAsync(server, "header does not agree");
    }

    [Theory]
    [InlineData(0, 1u, 4096u, 4096u, 0u)]
    [InlineData(2, 1u, 4096u, 4096u, 0u)]
    [InlineData(65535, 1u, 4096u, 4096u, 0u)]
    [InlineData(1, 0u, 4096u, 4096u, 0u)]
    [InlineData(1, 3u, 4096u, 4096u, 0u)]
    [InlineData(1, 0xFFFFFFFFu, 4096u, 4096u, 0u)]
    [InlineData(1, 1u, 0u, 4096u, 0u)]
    [InlineData(1, 1u, 4095u, 4096u, 0u)]
    [InlineData(1, 1u, 0x80000000u, 4096u, 0u)]
    [InlineData(1, 1u, 4096u, 0xFFFFFFFFu, 0u)]
    [InlineData(1, 1u, 4096u, 0x10000000u, 0u)]
    [InlineData(1, 1u, 4096u, 4096u, 1u)]
    [InlineData(1, 1u, 4096u, 4096u, 4u)]
    [InlineData(1, 2u, 4096u, 4096u, 2u)]
    [InlineData(1, 1u, 4096u, 4096u, 0x80000000u)]
    public async Task Answer_FieldAtAnExtreme_IsRefused(
        int version, uint mode, uint toServer, uint toClient, uint features)
    {
        using var server = new HostileServer().Good();
        server.Answer = new ServerHello((ushort)version, (ConnectionModes)mode, toServer, toClient, features, 0);
        await RefusedAsync(server, "granted what was not asked for");
    }

    [Theory]
    [InlineData(true, 0u)]
    [InlineData(true, 65_537u)]
    [InlineData(true, uint.MaxValue)]
    [InlineData(false, 1u)]
    public async Task Answer_LimitOfCallsThatIsNone_IsRefused(bool isDirect, uint maxCalls)
    {
        using var server = new HostileServer().Good();
        var mode = isDirect ? ConnectionModes.Calls : ConnectionModes.Bytes;
        server.Answer = server.Answer with { Mode = mode, MaxCalls = maxCalls };
        await RefusedAsync(server, "granted what was not asked for", modes: mode);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(65_536u)]
    public async Task Answer_LimitOfCalls_IsTaken(uint maxCalls)
    {
        using var server = new HostileServer().Good();
        server.Answer = server.Answer with { Mode = ConnectionModes.Calls, MaxCalls = maxCalls };
        var said = await ConnectAsync(server, refused: false, modes: ConnectionModes.Calls);
        Assert.Equal(ControlMessageType.Ready, said?.Type);
    }

    [Fact]
    public async Task Answer_AnotherSizeThanTheMemory_IsRefused()
    {
        using var server = new HostileServer().Good();
        server.Answer = server.Answer with { ClientToServerSize = RingSizes.Largest };
        await RefusedAsync(server, "bytes where the handshake says");
    }

    [Fact]
    public async Task Answer_TooShortOrOfAnotherTypeOrRubbish_IsRefused()
    {
        using var server = new HostileServer().Good();
        server.Message = ControlMessage.Write(ControlMessageType.ServerHello, new byte[ServerHello.Size - 1]);
        await RefusedAsync(server, "23 bytes");
        server.Message = ControlMessage.Write(ControlMessageType.Ready, []);
        await RefusedAsync(server, "a message of type 4");
        server.Message = Pattern.Take(0, 100);
        await RefusedAsync(server, "does not speak", saysWhy: false);
        server.Message = ControlMessage.Write(ControlMessageType.Refusal, []);
        await RefusedAsync(server, "no code", saysWhy: false);
    }

    [Fact]
    public async Task Answer_ServerClosesInstead_IsTheEndOfTheStream()
    {
        using var socket = Listen();
        var connecting = Connector().ConnectAsync(None);
        ControlSocket? client = null;
        await TimeLimit.UntilAsync(() => (client = socket.Accept()) is not null, () => "Nobody connected.");
        client!.Dispose();
        await Assert.ThrowsAsync<EndOfStreamException>(() => connecting.InTime());
    }

    [Fact]
    public async Task Answer_RefusedAndClosedBeforeTheHello_SaysWhy()
    {
        using var socket = Listen();
        var control = LinuxControlSocket.Connect(Path.Join(EndPoint.Directory, "hostile.sock"), out _)!;
        var reactor = ProcessReactors.Next();
        using var channel = new ControlChannel(control, reactor);
        using (var accepted = socket.Accept()!)
        {
            accepted.Send(ControlMessage.Write(ControlMessageType.Refusal, (ushort)RefusalCode.Busy, "later"), []);
            accepted.Shutdown();
        }

        var refused = await Assert.ThrowsAsync<HandshakeException>(
            () => ClientHandshake.RunAsync(channel, reactor, EndPoint.ConnectSettings, None).InTime());
        Assert.Equal(RefusalCode.Busy, refused.Code);
        Assert.True(refused.IsTransient);
    }

    private static unsafe void Spoil(nint memory, string field)
    {
        ref var header = ref Unsafe.AsRef<SegmentHeader>((void*)memory);
        switch (field)
        {
            case nameof(SegmentHeader.Magic):
                header.Magic++;
                break;
            case nameof(SegmentHeader.Version):
                header.Version++;
                break;
            case nameof(SegmentHeader.TotalSize):
                header.TotalSize++;
                break;
            case nameof(SegmentHeader.ClientToServerSize):
                header.ClientToServerSize *= 2;
                break;
            default:
                header.ServerToClientSize *= 2;
                break;
        }
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle OpenFile(HostileServer server, long size)
    {
        var path = Path.GetTempFileName();
        var handle = server.Own(File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite));
        RandomAccess.SetLength(handle, size);
        File.Delete(path);
        return handle;
    }

    private static SafeFileDescriptor Empty(HostileServer server)
    {
        var file = server.Own(Libc.MemfdCreate("grpcshm", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING));
        Assert.Equal(0, Libc.Control(file, Libc.F_ADD_SEALS, BothSeals));
        return file;
    }

    private static SafeFileDescriptor Blocking(HostileServer server)
    {
        const int SetFlags = 4;
        var bell = server.Bell();
        Assert.Equal(0, Libc.Control(bell, SetFlags, Libc.O_RDWR));
        return bell;
    }

    private RendezvousSocket Listen() =>
        TransportPlatform.Current.Listen(new SharedMemoryEndPoint("hostile"), EndPoint.Settings.Rendezvous);

    private SharedMemoryConnector Connector(ConnectionModes modes = ConnectionModes.Bytes) =>
        new(
            new SharedMemoryEndPoint("hostile"),
            EndPoint.ConnectSettings with { Modes = modes },
            GrpcShm.Transport.Diagnostics.TransportMetrics.For(null),
            EndPoint.ClientLog);

    private async Task RefusedAsync(
        HostileServer server, string reason, bool saysWhy = true, ConnectionModes modes = ConnectionModes.Bytes)
    {
        ControlMessage? said = null;
        var refused = await Assert.ThrowsAsync<SharedMemoryProtocolException>(
            async () => said = await ConnectAsync(server, refused: true, s => said = s, modes));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        if (saysWhy)
        {
            Assert.Equal(ControlMessageType.Refusal, said?.Type);
            Assert.Contains(reason, said?.ReadCodeAndText().Text, StringComparison.Ordinal);
        }
    }

    private async Task<ControlMessage?> ConnectAsync(
        HostileServer server,
        bool refused,
        Action<ControlMessage?>? said = null,
        ConnectionModes modes = ConnectionModes.Bytes)
    {
        using var socket = Listen();
        var serving = server.ServeAsync(socket);
        var connecting = Connector(modes).ConnectAsync(None);
        var answer = await serving.InTime();
        said?.Invoke(answer);
        using var connection = await connecting.InTime();
        Assert.False(refused);
        return answer;
    }
}
