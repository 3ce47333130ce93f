import type { Meter } from '../../core/usage.ts'
import { divideDecimal, multiplyDecimal, plainDecimal } from '../../playbook/price/decimal.ts'

/** What a price key of genai-prices is for, and how many of its units one price buys. Keys that are left out have no meter here. */
const units: Readonly<Record<string, readonly [meter: Meter, per: string]>> = {
  input_mtok: ['in.text.fresh', '1000000'],
  input_text_mtok: ['in.text.fresh', '1000000'],
  output_mtok: ['out.text.visible', '1000000'],
  output_text_mtok: ['out.text.visible', '1000000'],
  output_reasoning_mtok: ['out.text.reasoning', '1000000'],
  output_citation_mtok: ['out.text.citation', '1000000'],
  input_tool_mtok: ['in.text.tool', '1000000'],
  cache_read_mtok: ['in.text.cache_read', '1000000'],
  cache_write_mtok: ['in.text.cache_write', '1000000'],
  cache_write_5m_mtok: ['in.text.cache_write_5m', '1000000'],
  cache_write_1h_mtok: ['in.text.cache_write_1h', '1000000'],
  input_audio_mtok: ['in.audio.fresh', '1000000'],
  output_audio_mtok: ['out.audio.visible', '1000000'],
  cache_audio_read_mtok: ['in.audio.cache_read', '1000000'],
  input_image_mtok: ['in.image.fresh', '1000000'],
  output_image_mtok: ['out.image.visible', '1000000'],
  cache_image_read_mtok: ['in.image.cache_read', '1000000'],
  input_video_mtok: ['in.video.fresh', '1000000'],
  output_video_mtok: ['out.video.visible', '1000000'],
  cache_video_read_mtok: ['in.video.cache_read', '1000000'],
  web_searches_kcount: ['web_search.query', '1000'],
  storage_searches_kcount: ['file_search.call', '1000'],
  social_searches_kcount: ['x_search.call', '1000'],
  code_executions_kcount: ['code_exec.session', '1000'],
  rerank_searches_kcount: ['rerank.search_unit', '1000'],
  requests_kcount: ['request', '1000'],
  input_document_kpages: ['ocr.page', '1000'],
  audio_hours: ['audio_in.second', '3600'],
  input_audio_hours: ['audio_in.second', '3600'],
  output_audio_hours: ['audio_out.second', '3600'],
}

/** The meter of a price key and its price in USD per million units; undefined when we have no such meter. */
export const rateOfUnit = (key: string, amount: number): readonly [Meter, string] | undefined => {
  const unit = units[key]
  if (!unit) return undefined
  const [meter, per] = unit
  const dollars = plainDecimal(String(amount))
  return [meter, per === '1000000' ? dollars : divideDecimal(multiplyDecimal(dollars, '1000000'), per)]
}
