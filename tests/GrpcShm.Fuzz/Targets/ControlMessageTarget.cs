using System.Text;
using GrpcShm.Transport;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Fuzz.Targets;

/// <summary>The messages over the control socket, one by one: prefix, hellos, codes with sentences.</summary>
internal sealed class ControlMessageTarget : IFuzzTarget
{
    public string Name => "control-message";

    public int Weight => 20;

    public int MaxLength => 1200;

    public IEnumerable<byte[]> Seeds =>
    [
        new ClientHello(1, 1, ConnectionModes.Bytes, 0, 0, 0).Write(),
        new ServerHello(1, ConnectionModes.Bytes, 4096, 4096, 0, 0).Write(),
        ControlMessage.Write(ControlMessageType.Refusal, (ushort)RefusalCode.Busy, "Too many clients."),
        ControlMessage.Write(ControlMessageType.Ready, []),
        ControlMessage.Write(ControlMessageType.Close, (ushort)CloseCode.Graceful, new string('ä', 300)),
    ];

    public string Run(ReadOnlySpan<byte> input)
    {
        try
        {
            var length = ControlMessage.ReadLength(input);
            FuzzFailureException.ThrowIf(length > ControlMessage.MaxSize, "A message is longer than the limit.");
            if (length == 0 || length > input.Length)
            {
                return length == 0 ? "no prefix" : "not all of it";
            }

            using var message = ControlMessage.Read(input[..length], []);
            FuzzFailureException.ThrowIf(
                message.Body.Length != length - ControlMessage.PrefixSize, "The body is not the message's.");
            return Read(message);
        }
        catch (SharedMemoryProtocolException violation)
        {
            return Outcome.Of(violation);
        }
    }

    private static string Read(ControlMessage message)
    {
        switch (message.Type)
        {
            case ControlMessageType.ClientHello:
                var client = ClientHello.Read(message.Body);
                FuzzFailureException.ThrowIf(
                    !client.Write().AsSpan(ControlMessage.PrefixSize)
                        .SequenceEqual(message.Body.AsSpan(0, ClientHello.Size)),
                    "A client hello is not written as it was read.");
                return "client hello";
            case ControlMessageType.ServerHello:
                var server = ServerHello.Read(message.Body);
                FuzzFailureException.ThrowIf(
                    ServerHello.Read(server.Write().AsSpan(ControlMessage.PrefixSize)) != server,
                    "A server hello is not read as it was written.");
                return "server hello";
            default:
                var (code, text) = message.ReadCodeAndText();
                FuzzFailureException.ThrowIf(text.Any(char.IsControl), "A text has control characters.");
                FuzzFailureException.ThrowIf(text.Length > ControlMessage.MaxTextBytes, "A text is too long.");
                FuzzFailureException.ThrowIf(!Enum.IsDefined(RefusalCodes.FromWire(code)), "A code has no meaning.");
                return Encoding.UTF8.GetByteCount(text) == message.Body.Length - 2 ? "text" : "text, mended";
        }
    }
}
