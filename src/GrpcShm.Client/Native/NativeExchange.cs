using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Grpc.Core;
using GrpcShm.Client.Direct;
using GrpcShm.Client.Http;
using GrpcShm.Messages;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Native;

/// <summary>
/// Writes the request and reads the response of a call that gRPC's invoker makes: HTTP takes no part. Pooled with its
/// call.
/// </summary>
internal sealed class NativeExchange : ICallExchange
{
    // A loan takes over the pieces in which a smaller message has come. Of more pieces the array pool would keep only a
    // part, and an array that was gathered can be taken over, too.
    private const int LeastGatheredLoan = 2 * 1024 * 1024;

    private readonly NativeChannel _channel;

    // Written by the thread that receives. Those of the headers are read by the completion, which is scheduled after
    // the outcome is settled. Those of the trailers are read by whoever has read the end of the data, which is shown
    // under the gate of the input, after the trailers.
    private ReceivedMetadata? _headers;
    private ReceivedMetadata? _trailers;
    private string? _contentType;
    private string? _codeInHeaders;
    private string? _messageInHeaders;
    private string? _code;
    private string? _message;
    private int _httpStatus;

    public NativeExchange(ClientCall call, NativeChannel channel)
    {
        _channel = channel;
        Call = call;
        Writer = new MessageWriter(channel.MaxSendMessageSize);
        Reader = new MessageReader(channel.MaxReceiveMessageSize, channel.Compression);
    }

    /// <summary>The call.</summary>
    public ClientCall Call { get; }

    /// <summary>Writes the messages of the request.</summary>
    public MessageWriter Writer { get; }

    /// <summary>Reads the messages of the response.</summary>
    public MessageReader Reader { get; }

    /// <summary>The headers of the response that are the application's; nothing if there are none.</summary>
    public ReceivedMetadata? Headers => _headers;

    /// <summary>The trailers that are the application's; nothing if there are none.</summary>
    public ReceivedMetadata? Trailers => _codeInHeaders is null ? _trailers : _headers;

    /// <summary>
    /// The status with which the call ends by its headers alone; nothing if messages and trailers may follow.
    /// </summary>
    public Status? StatusOfHeaders =>
        _codeInHeaders is { } code
            ? ResponseStatus.Parse(code, _messageInHeaders)
            : ResponseStatus.Check(_httpStatus, _contentType);

    /// <summary>The status by the trailers. Once the end of the data has been read.</summary>
    public Status StatusOfTrailers =>
        _code is { } code ? ResponseStatus.Parse(code, _message)
        : _codeInHeaders is { } early ? ResponseStatus.Parse(early, _messageInHeaders)
        : ResponseStatus.WithoutStatus;

    /// <summary>True if the status came with the headers, which are the trailers, too.</summary>
    public bool HasStatusInHeaders => _codeInHeaders is not null;

    /// <summary>Reads data of the response that is here. The reader fails as one of HTTP's would.</summary>
    public bool TryRead(out ReadResult read)
    {
        try
        {
            return Call.CallStream.Input.TryRead(out read);
        }
        catch (Exception exception)
        {
            throw CallFailures.CreateReading(exception);
        }
    }

    /// <summary>Waits for data of the response. The reader fails as one of HTTP's would.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ReadResult> ReadAsync()
    {
        try
        {
            // Without a token: whoever gives the call up lets this read fail.
            return await Call.CallStream.Input.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            throw CallFailures.CreateReading(exception);
        }
    }

    public string? WriteHeaders(IPendingCall pending, CallTarget target)
    {
        var call = (NativeCall)pending;
        var stream = Call.CallStream;
        var block = stream.Headers;
        var pairs = stream.Connection.SentPairs;
        block.Begin();
        block.Add(HeaderNames.Method, GrpcRequestRules.Method, pairs);
        block.Add(HeaderNames.Scheme, target.Scheme, pairs);
        block.Add(HeaderNames.Path, target.PathAndQuery, pairs);
        block.Add(HeaderNames.Authority, target.Authority, pairs);
        block.Add(HeaderNames.ContentType, GrpcRequestRules.ContentType, pairs);
        block.Add("user-agent", NativeChannel.UserAgent, pairs);
        block.Add(HeaderNames.Te, GrpcRequestRules.Te, pairs);
        block.Add("grpc-accept-encoding", _channel.Compression.Accepted, pairs);
        if (call.Deadline != DateTime.MaxValue)
        {
            block.Add("grpc-timeout", _channel.Timeouts.Format(call.Deadline - DateTime.UtcNow), pairs);
        }

        if (call.Span is { } span
            && SentMetadata.Write(DistributedContextPropagator.Current, span, call.RequestHeaders, block, pairs)
                is { } reason)
        {
            return reason;
        }

        return call.RequestHeaders is { Count: > 0 } headers ? SentMetadata.Write(headers, block, pairs) : null;
    }

    public void TellBegun(IPendingCall pending, long connection)
    {
        // Calls that somebody listens to are made by grpc-dotnet, see NativeInvoker.
    }

    public void SendContent(IPendingCall pending)
    {
        var call = (NativeCall)pending;

        // Before the first frame is sent, so no response can have come.
        Reader.GathersFrom = call.TakesLoans ? LeastGatheredLoan : MessageReader.LeastGathered;
        call.SendContent(this);
    }

    /// <summary>Sends a request that is one message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="serialize">Writes it.</param>
    /// <param name="log">Is told if that fails.</param>
    public void SendOnly<TRequest>(
        TRequest message, Action<TRequest, SerializationContext> serialize, CallLog? log)
    {
        try
        {
            Writer.Write(message, serialize, Call.CallStream.Output);
        }
        catch (Exception exception)
        {
            log?.WriteFailedSending(exception);

            // As HttpContent does, so that what a serializer throws is not taken for a failure of the connection.
            var failure = exception is IOException or ObjectDisposedException
                ? new HttpRequestException("Error while copying content to a stream.", exception)
                : exception;
            Call.FailRequest(failure, failure);
            return;
        }

        Call.EndRequest(canRepeat: true);
    }

    public void ReadHeaders(ref HeaderReader headers, IPendingCall? pending)
    {
        while (headers.Read())
        {
            switch (headers.Number)
            {
                case HeaderNames.Status
                    when _httpStatus == 0 && ResponseFields.TryParseStatus(headers.Value, out var status):
                    _httpStatus = status;
                    break;
                case HeaderNames.Method or HeaderNames.Scheme or HeaderNames.Authority:
                case HeaderNames.Path or HeaderNames.Status:
                    throw ResponseFields.Refuse(headers.Name, headers.Value);
                case HeaderNames.ContentType:
                    _contentType = headers.Value;
                    break;
                case HeaderNames.GrpcStatus:
                    _codeInHeaders = headers.Value;
                    break;
                case HeaderNames.GrpcMessage:
                    _messageInHeaders = headers.Value;
                    break;
                case HeaderNames.GrpcEncoding:
                    Reader.Encoding = headers.Value;
                    break;
                default:
                    Add(ref _headers, headers.Name, headers.Value);
                    break;
            }
        }

        if (_httpStatus == 0)
        {
            throw ResponseFields.RefuseWithoutStatus();
        }
    }

    public void ReadTrailers(ref HeaderReader trailers, bool isHandedOver)
    {
        while (trailers.Read())
        {
            switch (trailers.Number)
            {
                case HeaderNames.GrpcStatus:
                    _code = trailers.Value;
                    break;
                case HeaderNames.GrpcMessage:
                    _message = trailers.Value;
                    break;
                default:
                    Add(ref _trailers, trailers.Name, trailers.Value);
                    break;
            }
        }
    }

    public Exception DescribeRefusal(Exception exception) => CallFailures.CreateRefusal(exception);

    public void HandOver(IPendingCall pending, bool isWhole) => ((NativeCall)pending).HandOver(this, isWhole);

    public void Reuse()
    {
        Reader.Reuse();
        _headers = null;
        _trailers = null;
        _contentType = null;
        _codeInHeaders = null;
        _messageInHeaders = null;
        _code = null;
        _message = null;
        _httpStatus = 0;
    }

    private static void Add(ref ReceivedMetadata? metadata, string name, string value)
    {
        if (!ReceivedMetadata.IsHidden(name))
        {
            (metadata ??= new ReceivedMetadata()).Add(name, value);
        }
    }
}
