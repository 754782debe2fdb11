"""Which Keras objects a stranger's model may name. All else in a config.json is refused.

Left out on purpose: what carries code (Lambda, wrappers of other frameworks, operations that take
functions), and what reads files named in the config (lookups, TextVectorization, TFSMLayer).
"""

_LAYERS = """
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
    AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add
    AdditiveAttention AlphaDropout Attention AutoContrast Average AveragePooling1D AveragePooling2D
    AveragePooling3D BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate Conv1D
    Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D
    Cropping1D Cropping2D Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout
    ELU EinsumDense Embedding Equalization Flatten GRU GRUCell GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D
    GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention HashedCrossing Hashing
    Identity InputLayer LSTM LSTMCell LayerNormalization LeakyReLU Masking MaxPooling1D MaxPooling2D
    MaxPooling3D Maximum MelSpectrogram Minimum MultiHeadAttention Multiply Normalization PReLU Permute
    RMSNormalization RNN RandomBrightness RandomContrast RandomCrop RandomErasing RandomFlip
    RandomGrayscale RandomHue RandomInvert RandomRotation RandomSaturation RandomSharpness RandomShear
    RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing ReversibleEmbedding
    STFTSpectrogram SeparableConv1D SeparableConv2D SimpleRNN SimpleRNNCell Softmax Solarization
    SpatialDropout1D SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells Subtract
    TimeDistributed UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D
    ZeroPadding3D
"""
_INITIALIZERS = """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones
    Orthogonal RandomNormal RandomUniform STFT TruncatedNormal VarianceScaling Zeros
"""
_LOSSES = """
    BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy CategoricalFocalCrossentropy
    CategoricalGeneralizedCrossEntropy CategoricalHinge Circle CosineSimilarity Dice Hinge Huber
    KLDivergence LogCosh MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError
    MeanSquaredLogarithmicError Poisson SparseCategoricalCrossentropy SquaredHinge Tversky
"""
_METRICS = """
    AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy CategoricalCrossentropy
    CategoricalHinge ConcordanceCorrelation CosineSimilarity F1Score FBetaScore FalseNegatives
    FalsePositives Hinge IoU KLDivergence LogCoshError Mean MeanAbsoluteError
    MeanAbsolutePercentageError MeanIoU MeanSquaredError MeanSquaredLogarithmicError OneHotIoU
    OneHotMeanIoU PearsonCorrelation Poisson Precision PrecisionAtRecall R2Score Recall
    RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity SparseCategoricalAccuracy
    SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SpecificityAtSensitivity SquaredHinge
    Sum TopKCategoricalAccuracy TrueNegatives TruePositives
"""
_OPTIMIZERS = """
    Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion LossScaleOptimizer Muon Nadam RMSprop SGD
    ScheduleFreeAdamW
"""
_SCHEDULES = """
    CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay
    PolynomialDecay
"""
# What `x + 1.0`, `x[:, 0]` and keras.ops.… between symbolic tensors leave in a Functional's config.
_NUMPY = """
    Abs Absolute Add All Amax Amin Any Append Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh Argmax
    Argmin Argsort Average BroadcastTo Ceil Clip Concatenate Cos Cosh CountNonzero Cumprod Cumsum Diag
    Diagonal Diff Divide DivideNoNan Dot Einsum Equal Exp Exp2 ExpandDims Expm1 Flip Floor FloorDivide
    FullLike GetItem Greater GreaterEqual Hstack Isfinite Isinf Isnan Less LessEqual Log Log10 Log1p Log2
    Logaddexp LogicalAnd LogicalNot LogicalOr LogicalXor Matmul Max Maximum Mean Median Min Minimum Mod
    Moveaxis Multiply NanToNum Negative NotEqual OnesLike Outer Pad Power Prod Quantile Ravel Reciprocal
    Repeat Reshape Roll Round Sign Sin Sinh Sort Split Sqrt Square Squeeze Stack Std Subtract Sum Swapaxes
    Take TakeAlongAxis Tan Tanh Tensordot Tile Transpose Tril Triu TrueDivide Trunc Var Vstack Where
    ZerosLike
"""
_NN = """
    AveragePool BatchNorm Celu Conv ConvTranspose DepthToSpace DepthwiseConv DotProductAttention Elu Gelu
    Glu HardShrink HardSigmoid HardSilu HardTanh LayerNorm LeakyRelu LogSigmoid LogSoftmax MaxPool Moments
    MultiHot Normalize OneHot RMSNorm Relu Relu6 Selu SeparableConv Sigmoid Silu SoftShrink Softmax
    Softplus Softsign SpaceToDepth SparsePlus SparseSigmoid Sparsemax Squareplus TanhShrink Threshold
"""
_FUNCTIONS = """
    binary_accuracy binary_crossentropy binary_focal_crossentropy categorical_accuracy
    categorical_crossentropy categorical_focal_crossentropy categorical_hinge celu cosine_similarity dice
    elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh hinge huber
    kl_divergence leaky_relu linear log_cosh log_sigmoid log_softmax mean_absolute_error
    mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error mish poisson relu
    relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_categorical_accuracy
    sparse_categorical_crossentropy sparse_plus sparse_sigmoid sparse_top_k_categorical_accuracy sparsemax
    squared_hinge squareplus swish tanh tanh_shrink threshold top_k_categorical_accuracy tversky
"""

ALLOWED: dict[str, frozenset[str]] = {
    module: frozenset(names.split())
    for module, names in {
        "keras": "Sequential Functional DTypePolicy",
        "keras.models": "Sequential Functional",
        "keras.src.models.functional": "Functional",
        "keras.layers": _LAYERS,
        "keras.initializers": _INITIALIZERS,
        "keras.regularizers": "L1 L1L2 L2 OrthogonalRegularizer",
        "keras.constraints": "MaxNorm MinMaxNorm NonNeg UnitNorm",
        "keras.dtype_policies": "DTypePolicy DTypePolicyMap",
        "keras.losses": _LOSSES,
        "keras.metrics": _METRICS,
        "keras.optimizers": _OPTIMIZERS,
        "keras.optimizers.schedules": _SCHEDULES,
        "keras.src.ops.numpy": _NUMPY,
        "keras.src.ops.nn": _NN,
        "keras.src.ops.math": "Erf Erfinv Logsumexp Rsqrt SegmentMax SegmentSum TopK",
        "keras.src.ops.linalg": "Norm",
        "keras.src.ops.image": "ExtractPatches Resize RGBToGrayscale",
        "keras.src.ops.core": "Cast Slice StopGradient Unstack",
    }.items()
}

# Functions stand in a config by name alone; only these names reach Keras's own.
FUNCTIONS = frozenset(_FUNCTIONS.split())

# Values that Keras writes as objects, none of which runs anything. Not here: __lambda__, __typespec__.
VALUES = frozenset({"__keras_tensor__", "__numpy__", "__tensor__", "__slice__", "__ellipsis__", "__bytes__"})


def allowed(module: object, name: object, registered: object) -> bool:
    """Whether an object of a config.json, named by its three fields, may be built."""
    if not isinstance(name, str) or not isinstance(module, str):
        return False
    # A registered name of its own would be looked up among custom objects first.
    return name in ALLOWED.get(module, ()) and registered in (None, name)
