using System.Collections.Concurrent;
using CsCheck;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

public sealed class HeaderBlockTests
{
    private const string NameCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-_.!#$%&'*+^`|~";

    private static readonly Gen<string> Names = Gen.OneOf(
        Gen.Int[0, HeaderNames.Count - 1].Select(HeaderNames.NameOf),
        Gen.Char[NameCharacters].Array[1, 40].Select(c => new string(c)));

    private static readonly Gen<string> Values = Gen.OneOf(
        Gen.Int[0, 3].Select(i => new[] { "POST", "200", "application/grpc", string.Empty }[i]),
        Gen.Char['\u0020', '\ud7ff'].Array[0, 1200].Select(c => new string(c)));

    [Fact]
    public void Block_AnyFields_ComeAsTheyWereInAnyNumberOfBlocks() =>
        Gen.Select(Names, Values).Array[0, 20].Array[1, 5].Sample(blocks =>
        {
            var sent = new SentPairs();
            var received = new ReceivedPairs();
            var block = new HeaderBlock();
            foreach (var fields in blocks)
            {
                block.Begin();
                foreach (var (name, value) in fields)
                {
                    block.Add(name, value, sent);
                }

                Assert.Equal(fields, Read(block.Rest, received));
                block.Advance(block.Rest.Length);
                Assert.False(block.IsPending);
            }
        });

    [Fact]
    public void Clear_AfterALargeBlock_KeepsLittleMemory()
    {
        var block = new HeaderBlock();
        block.Begin();
        block.Add("x-large", new string('x', 60_000), new SentPairs());
        Assert.InRange(block.Capacity, 60_000, int.MaxValue);
        block.Clear();
        Assert.InRange(block.Capacity, 0, 4096);
    }

    [Fact]
    public void Block_SameInstancesInAnyPlacesOverTwoConnections_ComeAsTheyWere()
    {
        (string Name, string Value)[] known =
        [
            (":method", "POST"), (":path", "/package.Service/Method"), ("te", "trailers"), ("user-agent", "test/1"),
            ("USER-AGENT", "test/1"), ("authorization", "secret"), ("x-own", "1"), ("grpc-timeout", "5S"),
            ("content-type", "application/grpc"),
        ];
        Gen.Select(Gen.Int[0, 1], Gen.Int[0, known.Length - 1].Array[0, 20]).Array[1, 12].Sample(blocks =>
        {
            var connections = new[] { (new SentPairs(), new ReceivedPairs()), (new SentPairs(), new ReceivedPairs()) };
            var block = new HeaderBlock();
            foreach (var (connection, places) in blocks)
            {
                var (sent, received) = connections[connection];
                block.Begin();
                foreach (var place in places)
                {
                    block.Add(known[place].Name, known[place].Value, sent);
                }

                Assert.Equal(
                    places.Select(p => (known[p].Name.ToLowerInvariant(), known[p].Value)), Read(block.Rest, received));
                block.Advance(block.Rest.Length);
            }
        });
    }

    [Fact]
    public void TryRepeat_FieldThatIsNoPairOrHasNotBeenSent_IsNotAdded()
    {
        var sent = new SentPairs();
        var block = new HeaderBlock();
        const string Path = "/package.Service/Method";
        for (var i = 0; i < 3; i++)
        {
            block.Begin();

            // First defined, then used, then remembered.
            Assert.Equal(i == 2, block.TryRepeat(":path", Path, sent));
            if (i < 2)
            {
                block.Add(":path", Path, sent);
            }

            Assert.False(block.TryRepeat("authorization", "secret", sent));
            block.Add("authorization", "secret", sent);
            Assert.False(block.TryRepeat(":path", Path, sent));
            block.Advance(block.Rest.Length);
        }
    }

    [Fact]
    public void Add_SameFieldInALaterBlock_IsANumber()
    {
        var sent = new SentPairs();
        var block = new HeaderBlock();
        block.Begin();
        block.Add(":path", "/package.Service/Method", sent);
        Assert.True(block.Rest.Length > 20);
        block.Advance(block.Rest.Length);
        block.Begin();
        block.Add(":path", "/package.Service/Method", sent);
        Assert.Equal(1, block.Rest.Length);
    }

    [Fact]
    public void Add_SecretFields_AreNeverPairs()
    {
        var sent = new SentPairs();
        var block = new HeaderBlock();
        foreach (var name in new[] { "authorization", "cookie", "x-token" })
        {
            for (var i = 0; i < 2; i++)
            {
                block.Begin();
                block.Add(name, "0123456789", sent);
                Assert.True(block.Rest.Length > 10);
                block.Advance(block.Rest.Length);
            }
        }
    }

    [Fact]
    public void Add_BlocksPutTogetherAtOnceAndSentInAnyOrder_AreUnderstood()
    {
        var sent = new SentPairs();
        var first = Block(sent, "/a");
        var second = Block(sent, "/a");
        var dropped = Block(sent, "/b");
        var received = new ReceivedPairs();
        Assert.Equal([(":path", "/a")], Read(second.Rest, received));
        second.Advance(second.Rest.Length);
        Assert.Equal([(":path", "/a")], Read(first.Rest, received));
        first.Advance(first.Rest.Length);
        dropped.Clear();

        // If a block was never sent, the next block defines its pairs.
        var next = Block(sent, "/b");
        Assert.Equal([(":path", "/b")], Read(next.Rest, received));
        next.Advance(next.Rest.Length);
        Assert.Equal(1, Block(sent, "/b").Rest.Length);
    }

    [Fact]
    public void Claimed_InPieces_DefinesWithTheLast()
    {
        var sent = new SentPairs();
        var block = Block(sent, "/a");
        block.Advance(2);
        Assert.NotEqual(1, Block(sent, "/a").Rest.Length);
        block.Advance(block.Rest.Length);
        Assert.Equal(1, Block(sent, "/a").Rest.Length);
    }

    [Fact]
    public async Task Add_ManyThreads_AreUnderstoodInTheOrderOfTheirClaims()
    {
        var sent = new SentPairs();
        var claims = new BlockingCollection<(byte[] Block, string Path)>(new ConcurrentQueue<(byte[], string)>());
        var gate = new Lock();
        var threads = Enumerable.Range(0, 4).Select<int, Action>(seed => () =>
        {
            var random = new Random(seed);
            var block = new HeaderBlock();
            for (var i = 0; i < 20_000; i++)
            {
                // More paths than there are numbers for pairs.
                var path = $"/{random.Next(400)}";
                block.Begin();
                block.Add(":path", path, sent);
                if (random.Next(3) == 0)
                {
                    block.Clear();
                    continue;
                }

                lock (gate)
                {
                    // Stands for the claim.
                    claims.Add((block.Rest.ToArray(), path), CancellationToken.None);
                }

                block.Advance(block.Rest.Length);
            }
        });
        await TimeLimit.OnThreads([.. threads]);
        claims.CompleteAdding();
        var received = new ReceivedPairs();
        foreach (var (block, path) in claims)
        {
            Assert.Equal([(":path", path)], Read(block, received));
        }
    }

    [Theory]
    [InlineData("", "x")]
    [InlineData("a b", "x")]
    [InlineData("a:b", "x")]
    [InlineData("ä", "x")]
    [InlineData("\u0161", "x")]
    [InlineData("a", "x\ny")]
    [InlineData("a", "\r")]
    [InlineData("a", "\0")]
    [InlineData(":path", "/\n")]
    [InlineData("content-type", "x\r\ny")]
    public void Add_WhatThePeerWouldRefuse_ThrowsAndLeavesTheBlockAsItWas(string name, string value)
    {
        var sent = new SentPairs();
        var block = Block(sent, "/a");
        var before = block.Rest.ToArray();
        Assert.Throws<InvalidOperationException>(() => block.Add(name, value, sent));
        Assert.Equal(before, block.Rest);
    }

    [Theory]
    [InlineData(":path", 'x')]
    [InlineData("x-large", 'x')]
    [InlineData("x-large", '\u20ac')]
    public void Add_MoreThanThePeerAccepts_ThrowsAndLeavesTheBlockAsItWas(string name, char content)
    {
        var sent = new SentPairs();
        var block = Block(sent, "/a");
        var before = block.Rest.ToArray();
        var fits = new string('x', HeaderBlock.MaxSize - before.Length - name.Length - 10);
        var tooLarge = new string(content, HeaderBlock.MaxSize / (content == 'x' ? 1 : 3));
        Assert.Throws<InvalidOperationException>(() => block.Add(name, tooLarge, sent));
        Assert.Equal(before, block.Rest);
        block.Add(name, fits, sent);
        Assert.True(block.Rest.Length <= HeaderBlock.MaxSize);
        Assert.Equal(fits, Read(block.Rest.ToArray(), new ReceivedPairs())[^1].Item2);
    }

    [Theory]
    [InlineData("80")]
    [InlineData("8080808080")]
    [InlineData("808080808010")]
    [InlineData("ffffffff10")]
    [InlineData("ffffffffff01")]
    [InlineData("00")]
    [InlineData("04")]
    [InlineData("0441")]
    [InlineData("0420")]
    [InlineData("0461")]
    [InlineData("046105")]
    [InlineData("0461fcffffff0f")]
    [InlineData("fcffffff0f")]
    [InlineData("fdffffff0f")]
    [InlineData("fdffffff0f00")]
    [InlineData("feffffff0f")]
    [InlineData("ffffffff0f")]
    [InlineData("8d0100")]
    [InlineData("3e")]
    [InlineData("42")]
    [InlineData("8208")]
    [InlineData("0f0f0161")]
    [InlineData("0f0b0161")]
    [InlineData("0f80020161")]
    [InlineData("0f100161" + "0f100162")]
    [InlineData("0f100161" + "13100161")]
    public void Read_MalformedBlock_Throws(string block) =>
        Assert.Throws<SharedMemoryProtocolException>(() => Read(Convert.FromHexString(block), new ReceivedPairs()));

    [Theory]
    [InlineData("0461010a")]
    [InlineData("04610100")]
    [InlineData("0461010d")]
    [InlineData("0461" + "02c328")]
    [InlineData("0461" + "02c080")]
    [InlineData("0000")]
    [InlineData("044100")]
    [InlineData("042000")]
    [InlineData("0f10010a")]
    [InlineData("0f10010a" + "42")]
    public void Read_FieldThatMayNotBe_IsOfItsCallAloneAndReadingGoesOn(string field)
    {
        var reader = new HeaderReader([.. Convert.FromHexString(field), 0x02], new ReceivedPairs());
        var flaws = 0;
        while (true)
        {
            try
            {
                if (!reader.Read())
                {
                    break;
                }
            }
            catch (MalformedCallException exception)
            {
                Assert.Equal(CallError.Protocol, exception.Error);
                flaws++;
            }
        }

        Assert.Equal(field.EndsWith("42", StringComparison.Ordinal) ? 2 : 1, flaws);
        Assert.Equal((":method", "POST"), (reader.Name, reader.Value));
    }

    [Fact]
    public void Read_NameSpelledOutThatHasANumber_HasIt()
    {
        var reader = new HeaderReader(RawFrames.Field("te", [], isSpelled: true), new ReceivedPairs());
        Assert.True(reader.Read());
        Assert.Equal(HeaderNames.Te, reader.Number);
    }

    [Fact]
    public void Read_MoreFieldsOrBytesThanAllowed_IsOfItsCallAlone()
    {
        byte[] three = [0x02, 0x02, 0x02];
        Assert.Throws<MalformedCallException>(() => ReadAll(three, maxFields: 2, maxSize: 1000));
        Assert.Throws<MalformedCallException>(() => ReadAll(three, maxFields: 3, maxSize: 32));
        Assert.Equal((3, 33), ReadAll(three, maxFields: 3, maxSize: 33));

        static (int Fields, int Size) ReadAll(byte[] block, int maxFields, int maxSize)
        {
            var reader = new HeaderReader(block, new ReceivedPairs(), maxFields, maxSize);
            while (reader.Read())
            {
            }

            return (reader.Fields, reader.Size);
        }
    }

    [Fact]
    public void Read_DefinitionLongerThanAPairMayBe_Throws()
    {
        byte[] block = [0x0f, 0x10, 0x81, 0x08, .. Enumerable.Repeat((byte)'a', 1025)];
        Assert.Throws<SharedMemoryProtocolException>(() => Read(block, new ReceivedPairs()));
    }

    [Fact]
    public void Read_AnyBytes_GivesFieldsOrThrows() =>
        Gen.Byte.Array[0, 100].Sample(bytes =>
        {
            try
            {
                Assert.All(Read(bytes, new ReceivedPairs()), field => Assert.NotEqual(string.Empty, field.Name));
            }
            catch (Exception exception) when (exception is SharedMemoryProtocolException or MalformedCallException)
            {
                // To refuse the block is as good.
            }
        });

    private static HeaderBlock Block(SentPairs pairs, string path)
    {
        var block = new HeaderBlock();
        block.Begin();
        block.Add(":path", path, pairs);
        return block;
    }

    private static List<(string Name, string Value)> Read(ReadOnlySpan<byte> block, ReceivedPairs pairs)
    {
        var fields = new List<(string, string)>();
        var reader = new HeaderReader(block, pairs);
        while (reader.Read())
        {
            fields.Add((reader.Name, reader.Value));
        }

        return fields;
    }
}
