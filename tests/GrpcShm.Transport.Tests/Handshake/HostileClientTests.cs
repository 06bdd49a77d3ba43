using System.Runtime.InteropServices;
using System.Text;
using CsCheck;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Handshake;

[Collection(AloneCollection.Name)]
public sealed class HostileClientTests : HostileTest
{
    private static readonly ClientHello Good = new(1, 1, ConnectionModes.Bytes, 0, 0, 0);

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("PIMX\u0001\0\u001c")]
    [InlineData("PIMX\u0001\0\u0007\0")]
    [InlineData("PIMX\u0001\0\0\0")]
    [InlineData("PIMX\u0001\0\u0001\u0004")]
    [InlineData("PIMX\u0001\0\u007f\u007f")]
    public Task Send_NoMessage_IsRefused(string text) =>
        text.Length < ControlMessage.PrefixSize
            ? ClosedAsync(Encoding.Latin1.GetBytes(text))
            : RefusedAsync(Encoding.Latin1.GetBytes(text), RefusalCode.Malformed);

    [Fact]
    public void Send_RandomBytes_AreCutOff() =>
        Gen.Byte.Array[0, 2000].Sample(
            bytes =>
            {
                using var peer = new RawBytesPeer(EndPoint.SocketPath);
                peer.Send(bytes);
                peer.EndSending();
                peer.ReceiveToTheEnd();
            },
            iter: 100,
            threads: 1);

    [Fact]
    public void Send_RandomBytesInAValidPrefix_AreCutOff() =>
        Gen.Select(Gen.UShort[0, 7], Gen.Byte.Array[0, ControlMessage.MaxSize - ControlMessage.PrefixSize]).Sample(
            (type, body) =>
            {
                using var peer = new RawBytesPeer(EndPoint.SocketPath);
                peer.Send(ControlMessage.Write((ControlMessageType)type, body));
                peer.EndSending();
                peer.ReceiveToTheEnd();
            },
            iter: 200,
            threads: 1);

    [Theory]
    [InlineData(0)]
    [InlineData((int)ControlMessageType.ServerHello)]
    [InlineData((int)ControlMessageType.Ready)]
    [InlineData((int)ControlMessageType.Close)]
    [InlineData(ushort.MaxValue)]
    public Task Send_AnotherMessageThanAHello_IsRefused(int type) =>
        RefusedAsync(ControlMessage.Write((ControlMessageType)type, new byte[ClientHello.Size]), RefusalCode.Malformed);

    [Theory]
    [InlineData(0)]
    [InlineData(ClientHello.Size - 1)]
    public Task Send_HelloThatIsTooShort_IsRefused(int size) =>
        RefusedAsync(ControlMessage.Write(ControlMessageType.ClientHello, new byte[size]), RefusalCode.Malformed);

    [Theory]
    [InlineData(0, 0, (int)RefusalCode.Version)]
    [InlineData(2, 2, (int)RefusalCode.Version)]
    [InlineData(2, ushort.MaxValue, (int)RefusalCode.Version)]
    [InlineData(ushort.MaxValue, 0, (int)RefusalCode.Malformed)]
    [InlineData(2, 1, (int)RefusalCode.Malformed)]
    [InlineData(0, ushort.MaxValue, (int)RefusalCode.None)]
    [InlineData(1, 1, (int)RefusalCode.None)]
    public Task Hello_Versions_AreNegotiated(int least, int most, int code) =>
        HelloAsync(Good with { MinVersion = (ushort)least, MaxVersion = (ushort)most }, (RefusalCode)code);

    [Theory]
    [InlineData(0u, (int)RefusalCode.Mode)]
    [InlineData(0xFFFFFFFEu, (int)RefusalCode.Mode)]
    [InlineData(0xFFFFFFFFu, (int)RefusalCode.None)]
    public Task Hello_Modes_AreNegotiated(uint modes, int code) =>
        HelloAsync(Good with { Modes = (ConnectionModes)modes }, (RefusalCode)code);

    [Theory]
    [InlineData(0u, (int)RefusalCode.None)]
    [InlineData(1u, (int)RefusalCode.Malformed)]
    [InlineData(2048u, (int)RefusalCode.Malformed)]
    [InlineData(4097u, (int)RefusalCode.Malformed)]
    [InlineData(128u * 1024 * 1024, (int)RefusalCode.Malformed)]
    [InlineData(0x80000000u, (int)RefusalCode.Malformed)]
    [InlineData(0xFFFFFFFFu, (int)RefusalCode.Malformed)]
    public async Task Hello_RingSizes_AreChecked(uint size, int code)
    {
        await HelloAsync(Good with { ClientToServerSize = size }, (RefusalCode)code);
        await HelloAsync(Good with { ServerToClientSize = size }, (RefusalCode)code);
    }

    [Fact]
    public async Task Hello_UnknownFeaturesAndALongerBody_AreIgnored()
    {
        await HelloAsync(Good with { Features = uint.MaxValue }, RefusalCode.None);
        using var peer = new RawBytesPeer(EndPoint.SocketPath);
        peer.Send(ControlMessage.Write(
            ControlMessageType.ClientHello, [.. Good.Write()[ControlMessage.PrefixSize..], 1, 2, 3]));
        Assert.Equal(ControlMessageType.ServerHello, peer.Receive()?.Type);
    }

    [Fact]
    public async Task Send_HelloByTheByte_IsUnderstood()
    {
        using var peer = new RawBytesPeer(EndPoint.SocketPath);
        foreach (var single in Good.Write())
        {
            peer.Send([single]);
            await Task.Yield();
        }

        Assert.Equal(ControlMessageType.ServerHello, peer.Receive()?.Type);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(20)]
    [InlineData(28)]
    public Task Send_APartAndClose_IsForgotten(int bytes) => ClosedAsync(Good.Write()[..bytes]);

    [Fact]
    public async Task Send_RefusalInsteadOfReady_IsLoggedWithoutControlCharacters()
    {
        using var peer = new RawBytesPeer(EndPoint.SocketPath);
        peer.Send(Good.Write());
        Assert.Equal(ControlMessageType.ServerHello, peer.Receive()?.Type);
        peer.Send(ControlMessage.Write(
            ControlMessageType.Refusal, (ushort)RefusalCode.Segment, "no\r\nforged line\u001b[31m"));
        peer.ReceiveToTheEnd();
        var line = await EndPoint.ServerLog.WaitForAsync(
            "ClientRefused", "The client refused: no\uFFFD\uFFFDforged line\uFFFD[31m");
        Assert.DoesNotContain(line.Text, char.IsControl);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(200)]
    public async Task Send_HelloWithHandles_IsRefusedAndTheyAreClosed(int count)
    {
        using var socket = LinuxControlSocket.Connect(EndPoint.SocketPath, out _)!;
        using var bell = TransportPlatform.Current.CreateDoorbell();
        Descriptors.Send((SafeHandle)socket.Source, Good.Write(), [.. Enumerable.Repeat(bell.Grant, count)]);
        await EndPoint.ServerLog.WaitForAsync("ClientRefused", "handles");
    }

    private async Task HelloAsync(ClientHello hello, RefusalCode code)
    {
        if (code != RefusalCode.None)
        {
            await RefusedAsync(hello.Write(), code);
            return;
        }

        using var peer = new RawBytesPeer(EndPoint.SocketPath);
        peer.Send(hello.Write());
        var answer = ServerHello.Read(peer.Receive()!.Body);
        Assert.Equal(new ServerHello(1, ConnectionModes.Bytes, RingSizes.Smallest, RingSizes.Smallest, 0, 0), answer);
    }

    private async Task RefusedAsync(byte[] bytes, RefusalCode code)
    {
        using var peer = new RawBytesPeer(EndPoint.SocketPath);
        peer.Send(bytes);
        Assert.Equal(code, peer.ReceiveToTheEnd());
        await EndPoint.ServerLog.WaitForAsync("ClientRefused", $"({code})");
    }

    private async Task ClosedAsync(byte[] bytes)
    {
        using (var peer = new RawBytesPeer(EndPoint.SocketPath))
        {
            peer.Send(bytes);
        }

        await EndPoint.ServerLog.WaitForAsync("ClientRefused", "The client went away");
    }
}
