using System.Text;
using Grpc.Core;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>
/// The methods of <see cref="ScriptedService"/>, one of each kind. Their messages are texts. Written as gRPC's
/// generated code has it.
/// </summary>
internal static class ScriptedMethods
{
    /// <summary>A message that the deserializer refuses.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>A message that the serializer refuses.</summary>
    public const string Unwritable = "unwritable";

    public static readonly Method<string, string> Unary = Create(MethodType.Unary);

    public static readonly Method<string, string> ClientStreaming = Create(MethodType.ClientStreaming);

    public static readonly Method<string, string> ServerStreaming = Create(MethodType.ServerStreaming);

    public static readonly Method<string, string> DuplexStreaming = Create(MethodType.DuplexStreaming);

    public static void BindService(ServiceBinderBase binder, ScriptedServiceBase? service)
    {
        binder.AddMethod(Unary, service is null ? null : new UnaryServerMethod<string, string>(service.Unary));
        binder.AddMethod(
            ClientStreaming,
            service is null ? null : new ClientStreamingServerMethod<string, string>(service.ClientStreaming));
        binder.AddMethod(
            ServerStreaming,
            service is null ? null : new ServerStreamingServerMethod<string, string>(service.ServerStreaming));
        binder.AddMethod(
            DuplexStreaming,
            service is null ? null : new DuplexStreamingServerMethod<string, string>(service.DuplexStreaming));
    }

    private static Method<string, string> Create(MethodType type)
    {
        var marshaller = new Marshaller<string>(Serialize, Deserialize);
        return new Method<string, string>(type, "test.Scripted", type.ToString(), marshaller, marshaller);
    }

    private static void Serialize(string message, SerializationContext context)
    {
        if (message == Unwritable)
        {
            throw new InvalidDataException("The serializer refuses the message.");
        }

        var bytes = Encoding.UTF8.GetBytes(message);
        context.SetPayloadLength(bytes.Length);
        var writer = context.GetBufferWriter();
        bytes.CopyTo(writer.GetSpan(bytes.Length));
        writer.Advance(bytes.Length);
        context.Complete();
    }

    private static string Deserialize(DeserializationContext context)
    {
        var message = Encoding.UTF8.GetString(context.PayloadAsNewBuffer());
        return message == Unreadable
            ? throw new InvalidDataException("The deserializer refuses the message.")
            : message;
    }
}
