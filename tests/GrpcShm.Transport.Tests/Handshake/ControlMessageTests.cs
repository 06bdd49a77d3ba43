using CsCheck;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Handshake;

public sealed class ControlMessageTests
{
    [Fact]
    public void WriteAndRead_AnyTextAndCode_GivesThemBackAsFarAsTheyFit() =>
        Gen.Select(Gen.UShort, Gen.String[0, 2000]).Sample(
            (code, text) =>
            {
                var bytes = ControlMessage.Write(ControlMessageType.Close, code, text);
                Assert.Equal(bytes.Length, ControlMessage.ReadLength(bytes));
                using var message = ControlMessage.Read(bytes, []);
                var (readCode, readText) = message.ReadCodeAndText();
                Assert.Equal(code, readCode);
                Assert.DoesNotContain(readText, char.IsControl);
                Assert.True(System.Text.Encoding.UTF8.GetByteCount(readText) <= ControlMessage.MaxTextBytes);
            },
            iter: 1_000,
            threads: 1);

    [Fact]
    public void Write_TextThatEndsWithinACharacter_IsCutBeforeIt()
    {
        using var message = ControlMessage.Read(
            ControlMessage.Write(ControlMessageType.Close, 1, "x" + new string('ä', 400)), []);
        Assert.Equal("x" + new string('ä', 255), message.ReadCodeAndText().Text);
    }

    [Fact]
    public void Hellos_AnyFields_AreReadAsWritten() =>
        Gen.Select(Gen.UShort, Gen.UShort, Gen.UInt, Gen.UInt, Gen.UInt, Gen.UInt).Sample(
            (least, most, modes, toServer, toClient, features) =>
            {
                var client = new ClientHello(least, most, (ConnectionModes)modes, toServer, toClient, features);
                Assert.Equal(client, ClientHello.Read(client.Write().AsSpan(ControlMessage.PrefixSize)));
                var server = new ServerHello(least, (ConnectionModes)modes, toServer, toClient, features, least);
                Assert.Equal(server, ServerHello.Read(server.Write().AsSpan(ControlMessage.PrefixSize)));
            },
            threads: 1);
}
