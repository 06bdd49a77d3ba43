using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>Writing a frame's header into the ring's memory, and reading it with all its checks.</summary>
[MemoryDiagnoser]
public class FrameBenchmarks
{
    private const int HeadersLength = 40;
    private const int MessageLength = 64;

    private readonly byte[] _ring = new byte[4096];
    private FrameHeader _header;

    /// <summary>Makes the single frame of a unary call.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _header = new FrameHeader
        {
            Length = FrameHeader.Size + HeadersLength + MessageLength,
            Type = FrameType.Message,
            Flags = FrameFlags.Headers | FrameFlags.End,
            Call = 1,
            HeadersLength = HeadersLength,
        };
        WriteHeader();
    }

    /// <summary>Writes the header.</summary>
    [Benchmark]
    public void WriteHeader() => MemoryMarshal.Write(_ring, _header);

    /// <summary>Copies the header and checks it.</summary>
    [Benchmark]
    public uint ReadHeader() => FrameReader.Read(_ring, ConnectionRole.Server).Stride;
}
