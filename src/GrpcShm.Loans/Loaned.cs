using System.Buffers;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using GrpcShm.Loans.Memory;
using GrpcShm.Loans.Wire;

namespace GrpcShm.Loans;

/// <summary>Makes loans for their senders, and the methods of a service whose messages are loans.</summary>
public static class Loaned
{
    /// <summary>
    /// Lends memory in one piece for a payload of known length. Fill it by <see cref="Loaned{T}.Memory"/>.
    /// </summary>
    /// <param name="message">The message. Its field of the payload has to be empty.</param>
    /// <param name="length">The length of the payload in bytes.</param>
    /// <param name="pool">Lends the memory. Defaults to <see cref="LoanPool.Shared"/>.</param>
    /// <typeparam name="T">The type of the message.</typeparam>
    /// <exception cref="ArgumentNullException"><paramref name="message"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative.</exception>
    /// <exception cref="RpcException">
    /// No more memory may be on loan: <see cref="StatusCode.ResourceExhausted"/>.
    /// </exception>
    public static Loaned<T> Create<T>(T message, int length, LoanPool? pool = null)
        where T : class, IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new Loaned<T>(message, PayloadMemory.Rent(pool ?? LoanPool.Shared, length), isWritable: true);
    }

    /// <summary>Lends memory for a payload of unknown length.</summary>
    /// <param name="message">The message. Its field of the payload has to be empty.</param>
    /// <param name="write">
    /// Writes the payload. It must not use its argument after its return. If it throws, there is no loan.
    /// </param>
    /// <param name="pool">Lends the memory. Defaults to <see cref="LoanPool.Shared"/>.</param>
    /// <typeparam name="T">The type of the message.</typeparam>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="RpcException">
    /// No more memory may be on loan: <see cref="StatusCode.ResourceExhausted"/>.
    /// </exception>
    public static Loaned<T> Create<T>(T message, Action<IBufferWriter<byte>> write, LoanPool? pool = null)
        where T : class, IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(write);
        var writer = new PayloadWriter(pool ?? LoanPool.Shared);
        try
        {
            write(writer);
        }
        catch
        {
            writer.Drop();
            throw;
        }

        return new Loaned<T>(message, writer.Complete());
    }

    /// <summary>Puts a payload of your own beside a message, without a copy.</summary>
    /// <param name="message">The message. Its field of the payload has to be empty.</param>
    /// <param name="payload">
    /// The payload. It must not change until the last call that sends it has ended. To dispose of the loan is not
    /// necessary, and does nothing to this memory.
    /// </param>
    /// <typeparam name="T">The type of the message.</typeparam>
    /// <exception cref="ArgumentNullException"><paramref name="message"/> is null.</exception>
    public static Loaned<T> Create<T>(T message, ReadOnlySequence<byte> payload)
        where T : class, IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(message);
        return new Loaned<T>(message, new PayloadMemory(payload));
    }

    /// <summary>Makes what turns loans into bytes, and bytes into loans.</summary>
    /// <param name="parser">The parser of the message: <c>Picture.Parser</c>.</param>
    /// <param name="payloadFieldNumber">
    /// The number of its field of the type <c>bytes</c> that is the payload: <c>Picture.PixelsFieldNumber</c>. The
    /// field is neither repeated nor required, and no member of a <c>oneof</c>.
    /// </param>
    /// <param name="pool">Lends the memory of what is received. Defaults to <see cref="LoanPool.Shared"/>.</param>
    /// <typeparam name="T">The type of the message.</typeparam>
    /// <remarks>
    /// On the wire such a message is that of any other peer, in any language. An empty payload and none are the same.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="parser"/> is null.</exception>
    /// <exception cref="ArgumentException">The field cannot be a payload.</exception>
    public static Marshaller<Loaned<T>> CreateMarshaller<T>(
        MessageParser<T> parser, int payloadFieldNumber, LoanPool? pool = null)
        where T : class, IMessage<T>, new()
    {
        ArgumentNullException.ThrowIfNull(parser);
        var marshaller = new LoanedMarshaller<T>(
            parser, new PayloadField(new T().Descriptor, payloadFieldNumber), pool ?? LoanPool.Shared);
        return Marshallers.Create<Loaned<T>>(marshaller.Serialize, marshaller.Deserialize);
    }

    /// <summary>
    /// Makes what turns plain messages into bytes and back, as the generated code does: for the messages without a
    /// payload of a method that <see cref="CreateMethod"/> makes.
    /// </summary>
    /// <param name="parser">The parser of the message: <c>Order.Parser</c>.</param>
    /// <typeparam name="T">The type of the message.</typeparam>
    /// <exception cref="ArgumentNullException"><paramref name="parser"/> is null.</exception>
    public static Marshaller<T> CreatePlainMarshaller<T>(MessageParser<T> parser)
        where T : class, IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(parser);
        return Marshallers.Create<T>(
            static (message, context) =>
            {
                context.SetPayloadLength(message.CalculateSize());
                message.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));
    }

    /// <summary>Makes a method of a generated service, with loans as its messages.</summary>
    /// <param name="service">The generated service: <c>Pictures.Descriptor</c>.</param>
    /// <param name="name">The name of the method: <c>nameof(Pictures.PicturesClient.Sharpen)</c>.</param>
    /// <param name="requests">For the requests.</param>
    /// <param name="responses">For the responses.</param>
    /// <typeparam name="TRequest">The type of the requests: a loan or a plain message.</typeparam>
    /// <typeparam name="TResponse">The type of the responses: a loan or a plain message.</typeparam>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The service has no such method, or with other messages.</exception>
    public static Method<TRequest, TResponse> CreateMethod<TRequest, TResponse>(
        ServiceDescriptor service, string name, Marshaller<TRequest> requests, Marshaller<TResponse> responses)
        where TRequest : class
        where TResponse : class
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentNullException.ThrowIfNull(responses);
        var method = service.FindMethodByName(name)
            ?? throw new ArgumentException($"The service '{service.FullName}' has no method '{name}'.", nameof(name));
        Check<TRequest>(method, method.InputType, nameof(requests));
        Check<TResponse>(method, method.OutputType, nameof(responses));
        var type = (method.IsClientStreaming, method.IsServerStreaming) switch
        {
            (false, false) => MethodType.Unary,
            (true, false) => MethodType.ClientStreaming,
            (false, true) => MethodType.ServerStreaming,
            (true, true) => MethodType.DuplexStreaming,
        };
        return new Method<TRequest, TResponse>(type, service.FullName, name, requests, responses);
    }

    private static void Check<TMessage>(MethodDescriptor method, MessageDescriptor message, string parameter)
    {
        var type = typeof(TMessage);
        var plain = type.IsConstructedGenericType && type.GetGenericTypeDefinition() == typeof(Loaned<>)
            ? type.GenericTypeArguments[0]
            : type;
        if (plain != message.ClrType)
        {
            throw new ArgumentException(
                $"The method '{method.FullName}' has messages of the type '{message.FullName}' there, and not "
                + $"'{plain.Name}'.",
                parameter);
        }
    }
}
