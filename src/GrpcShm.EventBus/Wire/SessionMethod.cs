using Grpc.Core;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Wire;

/// <summary>The method of the contract that carries a session, as a client calls it.</summary>
internal static class SessionMethod
{
    public static Method<OutgoingRequest, IncomingResponse> Instance { get; } = new(
        MethodType.DuplexStreaming,
        Contract.Descriptor.FullName,
        nameof(Contract.EventBusClient.Session),
        Marshallers.Create<OutgoingRequest>(
            static (request, context) =>
            {
                context.SetPayloadLength(request.CalculateSize());
                request.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            static _ => throw new NotSupportedException("A client receives no requests.")),
        Marshallers.Create<IncomingResponse>(
            static (_, _) => throw new NotSupportedException("A client sends no responses."),
            static context => IncomingResponse.Parse(context.PayloadAsReadOnlySequence())));
}
