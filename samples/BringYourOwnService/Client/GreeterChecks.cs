using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;
using Samples.BringYourOwnService.Server;

namespace Samples.BringYourOwnService.Client;

/// <summary>Calls the service in every way that must work over each transport.</summary>
internal sealed class GreeterChecks
{
    private readonly List<Check> _checks = [];
    private readonly ChannelBase _channel;
    private readonly BearerTokenInterceptor _key;
    private readonly RunProgress _progress;
    private readonly CancellationToken _cancellationToken;

    public GreeterChecks(
        ChannelBase channel, string apiKey, RunProgress progress, CancellationToken cancellationToken)
    {
        _channel = channel;
        _progress = progress;
        _key = new BearerTokenInterceptor(apiKey);
        _cancellationToken = cancellationToken;
        Greeter = WithKey(channel);
    }

    /// <summary>The generated client, with the key.</summary>
    public Greeter.GreeterClient Greeter { get; }

    /// <summary>The results so far.</summary>
    public IReadOnlyList<Check> Checks => _checks;

    /// <summary>A client that sends its key by an interceptor.</summary>
    public Greeter.GreeterClient WithKey(ChannelBase channel) => new(channel.Intercept(_key));

    public async Task CheckAllAsync(SampleEndpoint endpoint)
    {
        await CheckAsync("health, without a key", "Serving", GetHealthAsync);
        await CheckAsync("reflection lists the service", "greet.Greeter", FindServiceAsync);
        await CheckAsync(
            "a call without a key", nameof(StatusCode.Unauthenticated), () => SayHelloAsync(new(_channel)));
        await CheckAsync("a call with a wrong key", nameof(StatusCode.Unauthenticated), () => SayHelloAsync(
            new(_channel.Intercept(new BearerTokenInterceptor("wrong")))));
        await CheckAsync("a call with its key", "Hello world", () => SayHelloAsync(Greeter));
        await CheckAsync("calls that the server's interceptor saw", "2", GetCallNumberAsync);

        var isSharedMemory = endpoint.Kind == TransportKind.Shm;
        await CheckAsync(
            "transport, as the server's middleware sees it",
            isSharedMemory ? $"shm:{endpoint.Address}" : "another transport",
            GetCameByAsync);
        await CheckAsync(
            isSharedMemory ? "policy 'same user'" : "policy 'same user', for shared memory only",
            isSharedMemory ? $"process {Environment.ProcessId}" : nameof(StatusCode.PermissionDenied),
            () => IntroduceAsync(Greeter));
        await CheckAsync(
            "policy 'same user', without a key",
            nameof(StatusCode.Unauthenticated),
            () => IntroduceAsync(new(_channel)));
        await CheckAsync("calls that the client's interceptor saw", "4", () => Task.FromResult($"{_key.Calls}"));
    }

    /// <summary>The server still listens on the endpoint of <c>--urls</c>, and the policy applies there, too.</summary>
    public async Task CheckEndpointBeforeAsync(ChannelBase channel)
    {
        await CheckAsync("the TCP endpoint beside it", "Hello world", () => SayHelloAsync(WithKey(channel)));
        await CheckAsync(
            "policy 'same user' there: for shared memory only",
            nameof(StatusCode.PermissionDenied),
            () => IntroduceAsync(WithKey(channel)));
    }

    /// <summary>Runs a check. A refused call is a result, too.</summary>
    private async Task CheckAsync(string what, string expected, Func<Task<string>> call)
    {
        string actual;
        try
        {
            actual = await call();
        }
        catch (RpcException exception) when (!_cancellationToken.IsCancellationRequested)
        {
            actual = exception.StatusCode.ToString();
        }

        _checks.Add(new Check(what, expected, actual));
        _progress.Advance();
    }

    private async Task<string> GetHealthAsync()
    {
        var response = await new Health.HealthClient(_channel).CheckAsync(
            new HealthCheckRequest(), cancellationToken: _cancellationToken);
        return response.Status.ToString();
    }

    private async Task<string> FindServiceAsync()
    {
        using var call = new ServerReflection.ServerReflectionClient(_channel).ServerReflectionInfo(
            cancellationToken: _cancellationToken);
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" }, _cancellationToken);
        await call.RequestStream.CompleteAsync();
        await call.ResponseStream.MoveNext(_cancellationToken);
        var services = call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name);
        return services.FirstOrDefault(name => name.Contains("Greeter", StringComparison.Ordinal)) ?? "no Greeter";
    }

    private async Task<string> SayHelloAsync(Greeter.GreeterClient client)
    {
        var reply = await client.SayHelloAsync(
            new HelloRequest { Name = "world" }, cancellationToken: _cancellationToken);
        return reply.Message;
    }

    private async Task<string> GetCallNumberAsync()
    {
        using var call = Greeter.SayHelloAsync(new HelloRequest(), cancellationToken: _cancellationToken);
        await call;
        return call.GetTrailers().GetValue(CallCountInterceptor.TrailerName) ?? "none";
    }

    private async Task<string> GetCameByAsync()
    {
        using var call = Greeter.SayHelloAsync(new HelloRequest(), cancellationToken: _cancellationToken);
        var headers = await call.ResponseHeadersAsync;
        await call;
        return headers.GetValue(ConnectionHeaderMiddleware.HeaderName) ?? "none";
    }

    private async Task<string> IntroduceAsync(Greeter.GreeterClient client)
    {
        var reply = await client.IntroduceAsync(new IntroduceRequest(), cancellationToken: _cancellationToken);
        return $"process {reply.ProcessId}";
    }
}
