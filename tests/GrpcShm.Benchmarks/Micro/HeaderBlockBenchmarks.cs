using BenchmarkDotNet.Attributes;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>The headers of a unary call of gRPC's client: the first time on a connection, and later.</summary>
[MemoryDiagnoser]
public class HeaderBlockBenchmarks
{
    private static readonly (string Name, string Value)[] Fields =
    [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "localhost"),
        (":path", "/xstatenet.events.v1.EventBus/Send"),
        ("user-agent", "grpc-dotnet/2.71.0 (.NET 10.0.0; CLR 10.0.0; net10.0; linux; x64)"), ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("grpc-accept-encoding", "identity,gzip,deflate"),
        ("grpc-timeout", "999914u"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];

    private readonly HeaderBlock _block = new();
    private readonly SentPairs _sent = new();
    private readonly ReceivedPairs _received = new();
    private byte[] _first = [];
    private byte[] _later = [];

    /// <summary>Gives both sides the pairs that the first call of a connection defines.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _first = Write(_sent);
        Read(_first, _received);
        _later = Write(_sent);
    }

    /// <summary>Writes the first block of a connection, with new tables of pairs.</summary>
    [Benchmark]
    public int WriteFirst() => Fill(new SentPairs());

    /// <summary>Writes a later block.</summary>
    [Benchmark]
    public int WriteLater() => Fill(_sent);

    /// <summary>Reads the first block of a connection, with new tables of pairs.</summary>
    [Benchmark]
    public int ReadFirst() => Read(_first, new ReceivedPairs());

    /// <summary>Reads a later block.</summary>
    [Benchmark]
    public int ReadLater() => Read(_later, _received);

    private byte[] Write(SentPairs pairs)
    {
        Put(pairs);
        var bytes = _block.Rest.ToArray();
        _block.Advance(bytes.Length);
        return bytes;
    }

    private int Fill(SentPairs pairs)
    {
        Put(pairs);
        var length = _block.Rest.Length;
        _block.Advance(length);
        return length;
    }

    private void Put(SentPairs pairs)
    {
        _block.Begin();
        foreach (var (name, value) in Fields)
        {
            _block.Add(name, value, pairs);
        }
    }

    private static int Read(ReadOnlySpan<byte> block, ReceivedPairs pairs)
    {
        var characters = 0;
        var reader = new HeaderReader(block, pairs);
        while (reader.Read())
        {
            characters += reader.Value.Length;
        }

        return characters;
    }
}
