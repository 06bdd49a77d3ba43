using Grpc.Core;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using ProtoBuf;
using ProtoBuf.Grpc;
using ProtoBuf.Grpc.Client;
using ProtoBuf.Grpc.Configuration;
using ProtoBuf.Grpc.Server;

namespace GrpcShm.Hosting.Tests;

/// <summary>Services whose contract is a C# interface (protobuf-net.Grpc), with calls of each kind.</summary>
public sealed class CodeFirstTests
{
    private readonly List<string> _agents = [];

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SharedMemoryMode.Direct, "grpcshm-dotnet/")]
    [InlineData(SharedMemoryMode.Http2, "grpc-dotnet/")]
    public async Task Calls_OfEachKind_GiveTheirAnswers(SharedMemoryMode mode, string agent)
    {
        await using var server = await StartAsync();
        using var channel = SharedMemoryChannel.ForAddress(
            "adder", new SharedMemoryClientOptions { RuntimeDirectory = server.Directory, Mode = mode });
        await channel.ConnectAsync(TestToken).InTime();
        var adder = channel.CreateGrpcService<IAdder>();
        var context = new CallContext(new CallOptions(deadline: TimeLimit.Deadline, cancellationToken: TestToken));

        Assert.Equal(3, (await adder.AddAsync(new Numbers { Values = [1, 2] }, context).InTime()).Value);
        Assert.Equal(6, (await adder.AddAllAsync(NumberAsync(1, 2, 3), context).InTime()).Value);
        Assert.Equal([5, 6, 7], await ReadAsync(adder.CountAsync(new Numbers { Values = [5, 3] }, context)));
        Assert.Equal([1, 3, 6], await ReadAsync(adder.AddUpAsync(NumberAsync(1, 2, 3), context)));
        var failure = await Assert.ThrowsAsync<RpcException>(() => adder.AddAsync(new Numbers(), context).InTime());
        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Equal("There is nothing to add.", failure.Status.Detail);
        Assert.Equal(5, _agents.Count);

        // The first call of a process is made by grpc-dotnet, which then shows whether anybody reads its counters.
        Assert.All(_agents.Skip(1), seen => Assert.StartsWith(agent, seen, StringComparison.Ordinal));
    }

    private static async IAsyncEnumerable<Number> NumberAsync(params int[] values)
    {
        foreach (var value in values)
        {
            await Task.Yield();
            yield return new Number { Value = value };
        }
    }

    private static async Task<List<int>> ReadAsync(IAsyncEnumerable<Number> numbers)
    {
        var values = new List<int>();
        await foreach (var number in numbers)
        {
            values.Add(number.Value);
        }

        return values;
    }

    private Task<TestServer> StartAsync() =>
        TestServer.StartAsync(
            builder =>
            {
                builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("adder"));
                builder.Services.AddCodeFirstGrpc();
                builder.Services.AddSingleton<IStartupFilter>(new MiddlewareFilter((context, next) =>
                {
                    lock (_agents)
                    {
                        _agents.Add(context.Request.Headers.UserAgent.ToString());
                    }

                    return next(context);
                }));
            },
            static app => app.MapGrpcService<Adder>());

    [Service("grpcshm.hosting.Adder")]
    public interface IAdder
    {
        Task<Number> AddAsync(Numbers numbers, CallContext context = default);

        Task<Number> AddAllAsync(IAsyncEnumerable<Number> numbers, CallContext context = default);

        IAsyncEnumerable<Number> CountAsync(Numbers firstAndCount, CallContext context = default);

        IAsyncEnumerable<Number> AddUpAsync(IAsyncEnumerable<Number> numbers, CallContext context = default);
    }

    [ProtoContract]
    public sealed class Number
    {
        [ProtoMember(1)]
        public int Value { get; set; }
    }

    [ProtoContract]
    public sealed class Numbers
    {
        [ProtoMember(1)]
        public List<int> Values { get; set; } = [];
    }

    private sealed class Adder : IAdder
    {
        public Task<Number> AddAsync(Numbers numbers, CallContext context = default) =>
            numbers.Values.Count == 0
                ? throw new RpcException(new Status(StatusCode.InvalidArgument, "There is nothing to add."))
                : Task.FromResult(new Number { Value = numbers.Values.Sum() });

        public async Task<Number> AddAllAsync(IAsyncEnumerable<Number> numbers, CallContext context = default)
        {
            var sum = 0;
            await foreach (var number in numbers.WithCancellation(context.CancellationToken))
            {
                sum += number.Value;
            }

            return new Number { Value = sum };
        }

        public async IAsyncEnumerable<Number> CountAsync(Numbers firstAndCount, CallContext context = default)
        {
            for (var i = 0; i < firstAndCount.Values[1]; i++)
            {
                await Task.Yield();
                yield return new Number { Value = firstAndCount.Values[0] + i };
            }
        }

        public async IAsyncEnumerable<Number> AddUpAsync(
            IAsyncEnumerable<Number> numbers, CallContext context = default)
        {
            var sum = 0;
            await foreach (var number in numbers.WithCancellation(context.CancellationToken))
            {
                sum += number.Value;
                yield return new Number { Value = sum };
            }
        }
    }
}
