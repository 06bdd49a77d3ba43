using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantCompletion;

public sealed class HesitantCompletionDoorbellTests() : DoorbellContract(new HesitantMake(new CompletionMake()));
