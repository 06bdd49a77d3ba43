using Grpc.Core;

namespace GrpcShm.EventBus.Wire;

/// <summary>The marshallers of a session's messages, as a client writes and reads them.</summary>
internal static class SessionMarshallers
{
    private static readonly Marshaller<OutgoingRequest> Requests = Marshallers.Create<OutgoingRequest>(
        static (request, context) =>
        {
            context.SetPayloadLength(request.CalculateSize());
            request.WriteTo(context.GetBufferWriter());
            context.Complete();
        },
        static _ => throw new NotSupportedException("A client receives no requests."));

    private static readonly Marshaller<IncomingResponse> Responses = Marshallers.Create<IncomingResponse>(
        static (_, _) => throw new NotSupportedException("A client sends no responses."),
        static context => IncomingResponse.Parse(context.PayloadAsReadOnlySequence()));

    /// <summary>Makes the same method with these marshallers.</summary>
    /// <param name="generated">The method of the contract.</param>
    public static Method<OutgoingRequest, IncomingResponse> Replace(IMethod generated) =>
        new(generated.Type, generated.ServiceName, generated.Name, Requests, Responses);
}
