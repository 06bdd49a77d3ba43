using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Wire;

/// <summary>The methods of the contract's service, with the hub's own marshallers where events are forwarded.</summary>
internal static partial class HubMethods
{
    private static readonly Marshaller<HubSessionRequest> SessionRequests = Marshallers.Create<HubSessionRequest>(
        static (_, _) => throw new NotSupportedException("A hub sends no requests."),
        static context => HubSessionRequest.Parse(context.PayloadAsReadOnlySequence()));

    /// <summary>The description of the service, which gRPC's reflection looks for here.</summary>
    public static ServiceDescriptor Descriptor => Contract.Descriptor;

    /// <summary>Binds the service. gRPC calls this.</summary>
    /// <param name="binder">Takes the methods.</param>
    /// <param name="service">The service; none where gRPC makes one for each call.</param>
    public static void Bind(ServiceBinderBase binder, ServiceBase? service)
    {
        binder.AddMethod(
            Of(MethodType.DuplexStreaming, nameof(service.Session), SessionRequests, Forwarding<HubSessionResponse>()),
            service is null ? null : service.Session);
        binder.AddMethod(
            Of(MethodType.Unary, nameof(service.Send), Generated(SendRequest.Parser), Generated(SendResponse.Parser)),
            service is null ? null : service.Send);
        binder.AddMethod(
            Of(
                MethodType.ClientStreaming,
                nameof(service.SendMany),
                Generated(SendManyRequest.Parser),
                Generated(SendManyResponse.Parser)),
            service is null ? null : service.SendMany);
        binder.AddMethod(
            Of(MethodType.Unary, nameof(service.Ask), Generated(AskRequest.Parser), Generated(AskResponse.Parser)),
            service is null ? null : service.Ask);
        binder.AddMethod(
            Of(
                MethodType.Unary,
                nameof(service.Publish),
                Generated(PublishRequest.Parser),
                Generated(PublishResponse.Parser)),
            service is null ? null : service.Publish);
        binder.AddMethod(
            Of(
                MethodType.ServerStreaming,
                nameof(service.Subscribe),
                Generated(SubscribeRequest.Parser),
                Forwarding<HubSubscribeResponse>()),
            service is null ? null : service.Subscribe);
        binder.AddMethod(
            Of(
                MethodType.Unary,
                nameof(service.Acknowledge),
                Generated(AcknowledgeRequest.Parser),
                Generated(AcknowledgeResponse.Parser)),
            service is null ? null : service.Acknowledge);
        binder.AddMethod(
            Of(
                MethodType.Unary,
                nameof(service.RegisterMachines),
                Generated(RegisterMachinesRequest.Parser),
                Generated(RegisterMachinesResponse.Parser)),
            service is null ? null : service.RegisterMachines);
        binder.AddMethod(
            Of(
                MethodType.Unary,
                nameof(service.UnregisterMachines),
                Generated(UnregisterMachinesRequest.Parser),
                Generated(UnregisterMachinesResponse.Parser)),
            service is null ? null : service.UnregisterMachines);
        binder.AddMethod(
            Of(
                MethodType.Unary,
                nameof(service.ListMachines),
                Generated(ListMachinesRequest.Parser),
                Generated(ListMachinesResponse.Parser)),
            service is null ? null : service.ListMachines);
        binder.AddMethod(
            Of(
                MethodType.Unary,
                nameof(service.GetHealth),
                Generated(GetHealthRequest.Parser),
                Generated(GetHealthResponse.Parser)),
            service is null ? null : service.GetHealth);
    }

    private static Method<TRequest, TResponse> Of<TRequest, TResponse>(
        MethodType type, string name, Marshaller<TRequest> requests, Marshaller<TResponse> responses)
        where TRequest : class
        where TResponse : class =>
        new(type, Contract.Descriptor.FullName, name, requests, responses);

    private static Marshaller<TMessage> Generated<TMessage>(MessageParser<TMessage> parser)
        where TMessage : class, IMessage<TMessage> =>
        Marshallers.Create(
            static (message, context) =>
            {
                context.SetPayloadLength(message.CalculateSize());
                message.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    private static Marshaller<TResponse> Forwarding<TResponse>()
        where TResponse : ForwardingResponse =>
        Marshallers.Create<TResponse>(
            static (response, context) =>
            {
                context.SetPayloadLength(response.CalculateSize());
                response.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            static _ => throw new NotSupportedException("A hub receives no responses."));
}
